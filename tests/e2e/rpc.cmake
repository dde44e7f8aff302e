# The server from outside.
iso_add_pytest(e2e test_rpc.py TIMEOUT 300)
iso_add_pytest(e2e test_plans.py TIMEOUT 300)
iso_add_pytest(e2e test_usage.py TIMEOUT 300)
iso_add_pytest(e2e test_usage_schedule.py)
iso_add_pytest(e2e test_sessions.py TIMEOUT 300)
iso_add_pytest(e2e test_session_property.py TIMEOUT 400)
