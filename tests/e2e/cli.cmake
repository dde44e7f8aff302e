iso_add_pytest(e2e test_cli.py TIMEOUT 300)
iso_add_pytest(e2e test_cli_examples.py TIMEOUT 300)
iso_add_pytest(e2e test_readme.py TIMEOUT 300)
iso_add_pytest(e2e test_add_a_provider.py TIMEOUT 300)
set_property(TEST e2e.test_add_a_provider APPEND PROPERTY LABELS noasan) # a stranger's compiler knows no sanitizer
iso_add_pytest(e2e test_cli_what_if.py TIMEOUT 300)
iso_add_pytest(e2e test_snapshots_differ.py)
iso_add_pytest(e2e test_plugin_commands.py)
iso_add_pytest(e2e test_cli_explain.py TIMEOUT 120)
