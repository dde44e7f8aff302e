"""isocostd with replayed clouds as its providers.

    with CloudServer(folder, {"aws": (aws, {"regions": "us-east-1"})}, NOW) as clouds:
        snapshot = clouds.refresh()
        plan = clouds.solve(model)
"""
import yaml

from isocost_protos import (
    BUILD,
    catalog_service_pb2 as c,
    catalog_service_pb2_grpc,
    json_format,
    model_pb2,
    plan_service_pb2,
    plan_service_pb2_grpc,
)
from isocost_server import IsocostServer

REFRESH_S, SOLVE_S = 600, 120


def provider(name, cloud, folder, now, parameters, **more):
    """An instance of providers.yaml, its secrets in files of their own."""
    secrets = {}
    for secret, value in cloud.secrets.items():
        path = folder / f"{name}-{secret}"
        path.write_text(value)
        path.chmod(0o600)
        secrets[secret] = str(path)
    return {"name": name, "plugin": name, "parameters": parameters, "secret_files": secrets, "clock_seconds": now,
            "http": cloud.http(), "deadline_seconds": REFRESH_S, **more}


class CloudServer:
    def __init__(self, folder, clouds, now, **more):
        """`clouds`: the plugin's name: (replay, its parameters)."""
        config = folder / "providers.yaml"
        config.write_text(yaml.safe_dump({"providers": [
            provider(name, cloud, folder, now, parameters, **more)
            for name, (cloud, parameters) in clouds.items()]}))
        self.names = list(clouds)
        self.replays = {name: cloud for name, (cloud, _) in clouds.items()}
        self.server = IsocostServer("--config", str(config), "--plugin-dir", str(BUILD / "plugins"))

    def __enter__(self):
        self.server.start()
        channel = self.server.channel()
        self.catalogs = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        self.plans = plan_service_pb2_grpc.PlanServiceStub(channel)
        return self

    def __exit__(self, *_):
        self.server.stop()

    def refresh(self, name="", progress=None):
        """The snapshot that a refresh ends in; `progress` is called with each message before it."""
        request = c.RefreshCatalogRequest(provider=name)
        for answer in self.catalogs.RefreshCatalog(request, timeout=REFRESH_S):
            if progress and answer.WhichOneof("event") == "progress":
                progress(answer.progress)
        return answer.snapshot

    def current(self):
        return self.catalogs.GetSnapshot(c.GetSnapshotRequest(), timeout=60).snapshot

    def solve(self, model):
        """The plan of a model in the form of JSON."""
        ref = plan_service_pb2.ModelRef(model=json_format.ParseDict(model, model_pb2.Model()))
        return self.plans.SolvePlan(plan_service_pb2.SolvePlanRequest(model=ref), timeout=SOLVE_S).plan

    def offerings(self):
        """All of the current snapshot."""
        token = ""
        while True:
            page = self.catalogs.ListOfferings(c.ListOfferingsRequest(page_size=5000, page_token=token), timeout=60)
            yield from page.offerings
            token = page.next_page_token
            if not token:
                return
