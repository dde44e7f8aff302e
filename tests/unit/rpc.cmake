# The RPC server and the API, in parts.
iso_add_test(unit test_rpc_parts.c LIBS isocost::rpc)
iso_add_test(unit test_api_parts.c LIBS isocost::api)
