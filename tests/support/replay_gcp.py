"""Google Cloud as a local server: Compute Engine and Monitoring behind tokens, and the price list behind a token or a key.

An assertion is checked as the service does: RS256 by the account's public key, issuer, audience, scope and times
against the cloud's clock; a token is good for the scope that it was asked for. Answers are synthetic, in the documented
shapes, unless a test hands over what was recorded.

    with ReplayGcp(NOW) as cloud:
        cloud.types["us-central1-a"] = [machine_type("n2-standard-2", 2, 8192)]
        cloud.skus += part("n2", "N2 Instance", "0.031611", "0.004237")
        ... PluginHost().load(..., secrets=cloud.secrets, http=cloud.http())
"""
import base64
import functools
import json
import pathlib
import subprocess
import tempfile
import urllib.parse

from fault_cloud import Answer, FaultCloud

PROJECT, API_KEY, EMAIL = "project-1", "AIza-test", "reader@project-1.iam.gserviceaccount.com"
SCOPES = "https://www.googleapis.com/auth/"
SERVICE = "/v1/services/6F81-5844-456A/skus"


@functools.cache
def keys():
    """A private key and its public one, as PEM, made for this run."""
    private = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                             check=True, capture_output=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=private, check=True, capture_output=True).stdout
    return private.decode(), public.decode()


def machine_type(name, vcpus, mib, **more):
    return {"kind": "compute#machineType", "name": name, "guestCpus": vcpus, "memoryMb": mib,
            "isSharedCpu": False, "architecture": "X86_64", **more}


def money(text, currency="USD"):
    units, _, nanos = text.partition(".")
    return {"currencyCode": currency, "units": units, "nanos": int(nanos.ljust(9, "0"))}


def sku(description, price, group="CPU", usage="OnDemand", regions=("us-central1",), unit=None, tiers=None, **more):
    tiers = tiers or [(0, price)]
    return {"skuId": f"sku-{abs(hash((description, price))) % 10 ** 8}", "description": description,
            "category": {"serviceDisplayName": "Compute Engine", "resourceFamily": "Compute", "resourceGroup": group,
                         "usageType": usage}, "serviceRegions": list(regions),
            "pricingInfo": [{"effectiveTime": "2026-03-01T00:00:00Z", "currencyConversionRate": 1, "pricingExpression": {
                "usageUnit": unit or ("GiBy.h" if " Ram" in description else "h"), "displayQuantity": 1,
                "tieredRates": [{"startUsageAmount": at, "unitPrice": money(p)} for at, p in tiers]}}], **more}


def part(name, core, memory, **more):
    """The two SKUs of a family on demand; `name` as in "N2 Instance"."""
    return [sku(f"{name} Core running in Americas", core, **more),
            sku(f"{name} Ram running in Americas", memory, "RAM", **more)]


def _decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class ReplayGcp(FaultCloud):
    def __init__(self, now):
        super().__init__()
        self.now = now
        self.page_size = 100
        self.types, self.instances = {}, {}  # by zone
        self.skus, self.quotas = [], {}      # quotas by region; "": of the project
        self.series = {}                     # by aligner
        self.first = {}                      # part of a path: answers that come before the true ones
        self.tokens = {}                     # token: scope
        self.revoked = 0                     # times that a good token is refused all the same
        self.same_token = False
        self.paths = []

    @property
    def secrets(self):
        return {"service_account": json.dumps({"type": "service_account", "client_email": EMAIL,
                                               "private_key_id": "key-1", "private_key": keys()[0]}),
                "api_key": API_KEY}

    def http(self):
        return {"retry_seconds": 0.001, "attempts": 3,
                "endpoints": {name: self.url for name in ("token", "billing", "compute", "monitoring")}}

    def take(self, request):
        with self._lock:
            self.requests.append(request)
            self.paths.append(request.path)
            for name, answers in self.first.items():
                if name in request.path and answers:
                    return answers.pop(0)
            if request.path == "/token":
                return self._token(request)
            return self._api(request)

    @staticmethod
    def _json(value, status=200):
        return Answer(status, json.dumps(value).encode(), {}, "application/json; charset=UTF-8")

    def _error(self, code, status, reason=""):
        return self._json({"error": {"code": code, "message": "refused", "status": status, "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]}}, code)

    # ---- Who asks ----

    @staticmethod
    def _is_signed(signed, signature):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "key").write_text(keys()[1])
            (folder / "signature").write_bytes(signature)
            done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", folder / "key", "-signature",
                                   folder / "signature"], input=signed.encode(), capture_output=True, check=False)
        return done.returncode == 0

    def _token(self, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        head, claims, signature = (form.get("assertion", "") + "..").split(".")[:3]
        told = json.loads(_decode(claims) or b"{}")
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" or \
                json.loads(_decode(head) or b"{}").get("alg") != "RS256" or told.get("iss") != EMAIL or \
                told.get("aud") != "https://oauth2.googleapis.com/token" or \
                not told["iat"] - 300 <= self.now <= told["exp"] <= told["iat"] + 3600 or \
                not self._is_signed(f"{head}.{claims}", _decode(signature)):
            return self._json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        token = f"token-{len(self.tokens) + 1}"
        self.tokens[token] = told["scope"]
        return self._json({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _may(self, request, scope):
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.revoked > 0:
            self.revoked -= 1
            return False
        return self.tokens.get(token) == SCOPES + scope

    # ---- What is told ----

    def _page(self, items, request):
        """A page of a list, and the token of the next; it is "" at the end."""
        at = int(dict(request.query).get("pageToken", "=0")[1:])
        end = at + self.page_size
        return items[at:end], f"={at if self.same_token else end}" if end < len(items) or self.same_token else ""

    def _api(self, request):
        asked, path = dict(request.query), request.path.removeprefix(f"/compute/v1/projects/{PROJECT}/")
        if request.path == SERVICE:
            if "key" in asked and asked["key"] != API_KEY:
                return self._error(400, "INVALID_ARGUMENT", "API_KEY_INVALID")
            if "key" not in asked and not self._may(request, "cloud-billing.readonly"):
                return self._error(401, "UNAUTHENTICATED")
            skus, token = self._page(self.skus, request)
            return self._json({"skus": skus, "nextPageToken": token})
        if request.path == f"/v3/projects/{PROJECT}/timeSeries":
            return self._time_series(request, asked)
        if not self._may(request, "compute.readonly"):
            return self._error(401, "UNAUTHENTICATED")
        if path == "aggregated/machineTypes":
            return self._aggregated(request, "machineTypes", self.types)
        if path == "aggregated/instances":
            return self._aggregated(request, "instances", self.instances)
        if request.path == f"/compute/v1/projects/{PROJECT}":
            return self._json({"name": PROJECT, "quotas": self.quotas.get("", [])})
        if path.startswith("regions/") and path.removeprefix("regions/") in self.quotas:
            return self._json({"quotas": self.quotas[path.removeprefix("regions/")]})
        return self._error(404, "NOT_FOUND")

    def _aggregated(self, request, name, zones):
        """Zones without any come with a warning; a list may break inside a zone."""
        items, token = self._page([(zone, item) for zone, all_of in zones.items() for item in all_of], request)
        told = {f"zones/{zone}": {"warning": {"code": "NO_RESULTS_ON_PAGE"}} for zone in zones}
        for zone, item in items:
            told[f"zones/{zone}"] = {name: [*told[f"zones/{zone}"].get(name, []), item]}
        return self._json({"kind": f"compute#{name}AggregatedList", "items": told,
                           **({"nextPageToken": token} if token else {})})

    def _time_series(self, request, asked):
        if not self._may(request, "monitoring.read"):
            return self._error(401, "UNAUTHENTICATED")
        if asked["filter"] != 'metric.type="compute.googleapis.com/instance/cpu/utilization"':
            return self._error(400, "INVALID_ARGUMENT")
        series, token = self._page(self.series.get(asked["aggregation.perSeriesAligner"], []), request)
        return self._json({**({"timeSeries": series} if series else {}), "unit": "10^2.%", "nextPageToken": token})
