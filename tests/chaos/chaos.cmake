# The whole server while its parts are killed or go wrong.
iso_add_pytest(chaos test_kill_solvers.py TIMEOUT 180)
iso_add_pytest(chaos test_kill_server.py TIMEOUT 600)
iso_add_pytest(chaos test_workers.py TIMEOUT 600)
iso_add_pytest(chaos test_fleet.py TIMEOUT 600)
iso_add_pytest(chaos test_full_disk.py TIMEOUT 600)
iso_add_pytest(chaos test_postgres_away.py TIMEOUT 600)
iso_add_pytest(chaos test_plugin_faults.py TIMEOUT 600)
