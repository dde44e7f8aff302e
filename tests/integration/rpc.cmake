# The RPC server and the C client against each other.
iso_add_test(integration test_rpc.c LIBS isocost::rpc isocost::client TIMEOUT 120)
