"""Replayed clouds that sell what real price files hold: AWS, Azure, Google Cloud and Alibaba Cloud.

The prices, types, zones and offers are those of the files (real_catalog.py); what is put around them is the shape in
which the cloud's services would tell them. What a service tells and the files do not:

- AWS: the price file has one region; the other three that have a table of zones are made as dear.
- Azure: sizes of machines are those of the reference table; a size that it does not know comes without vCPUs.
- Google sells cores and memory, and the file has prices of machines: `gcp_parts` finds the prices of the parts. Parts
  are those of families whose every machine has the price that they give, to a millionth. GPUs and local disks have no
  price that could be found so, and their machines none here.
- Alibaba Cloud: stock is what the file lists by zone; a market has the one point that the file has.

A cloud more is an entry of CLOUDS: a function that fills a replay, and one that tells the rows that must come of it.
"""
import collections
import contextlib
import fractions
import itertools

import real_catalog
from replay_alibaba import ReplayAlibaba, instance_type, point
from replay_aws import ReplayAws, price_row
from replay_azure import SUBSCRIPTION, ReplayAzure, item, sku
from replay_gcp import PROJECT, ReplayGcp, machine_type, part

NOW = 1772539200  # 2026-03-03T12:00:00Z
SPOT_TIME = "2026-03-03T11:00:00Z"
PAGE = 1000
