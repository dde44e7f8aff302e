iso_add_pytest(e2e test_cli.py TIMEOUT 300)
iso_add_pytest(e2e test_cli_examples.py TIMEOUT 300)
iso_add_pytest(e2e test_readme.py TIMEOUT 300)
iso_add_pytest(e2e test_cli_what_if.py TIMEOUT 300)
