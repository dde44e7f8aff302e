iso_add_pytest(e2e test_server_programs.py)
iso_add_pytest(e2e test_store_command.py)
# Answers against independent ones, and clients that know nothing but the contract.
iso_add_pytest(e2e test_oracle.py TIMEOUT 300)
iso_add_pytest(e2e test_prices.py TIMEOUT 120)
iso_add_pytest(e2e test_explanations.py TIMEOUT 120)
iso_add_pytest(e2e test_explanation_property.py TIMEOUT 600)
iso_add_pytest(e2e test_explanation_property.py NAME test_explanation_property_at_length LABEL slow
    ENVIRONMENT ISO_SEEDS_TIMES=10 TIMEOUT 7200)
iso_add_pytest(e2e test_foreign_clients.py TIMEOUT 300)
iso_add_pytest(e2e test_side_by_side.py TIMEOUT 180)
iso_add_pytest(e2e test_long_checks.py TIMEOUT 180)
set_property(TEST e2e.test_long_checks APPEND PROPERTY LABELS noasan) # four seconds are not enough there
