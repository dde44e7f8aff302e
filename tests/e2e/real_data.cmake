# Whole catalogs of real prices.
iso_add_pytest(e2e test_real_data.py TIMEOUT 400)
# Replayed clouds behind a server.
iso_add_pytest(e2e test_clouds.py)
iso_add_pytest(e2e test_real_clouds.py TIMEOUT 900)
