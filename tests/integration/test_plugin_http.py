"""The HTTP that plugins get from their host, against a server with every fault of transport."""
import gzip
import json
import re
import time
import zlib

import pytest
from fault_cloud import Answer, FaultCloud, make_certificate
from isocost_protos import BUILD
from plugin_host import PluginFailure, PluginHost

PLUGIN = BUILD / "tests" / "plugins" / "http.so"
URL = "https://api.cloud.example"
QUICK = {"retry_seconds": 0.001, "attempts": 3}
AWS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
NONE, SIGV4, AZURE, GCP_KEY = 0, 1, 6, 8
ANY = 0


@pytest.fixture
def cloud():
    with FaultCloud() as server:
        yield server


def ask(cloud, path="/page", *, http=(), secrets=(), deadline_seconds=30, url=URL, **config):
    """Asks once through the cloud; gives what the plugin told: {"status", "attempts", ...}."""
    settings = {**QUICK, "endpoints": {"api": cloud.url, "token": cloud.url}, **dict(http)}
    with PluginHost() as host:
        host.load(PLUGIN, config={"url": url + path, "service": "api", **config}, secrets=secrets,
                  http=settings)
        pages, _ = host.fetch(deadline_seconds=deadline_seconds)
    rows = [row for page in pages for row in page.diagnostics]
    return dict(part.split("=") for part in re.findall(r"\w+=\d+", rows[-1].text)) if rows else None


def refused(cloud, *args, **config):
    with pytest.raises(PluginFailure) as caught:
        ask(cloud, *args, **config)
    return caught.value


def test_a_good_answer_arrives_whole(cloud):
    body = json.dumps({"rows": list(range(10000))}).encode()
    cloud.answer("/page", [Answer(body=body)])
    told = ask(cloud)
    assert told == {"status": "200", "attempts": "1", "bytes": str(len(body)),
                    "crc": str(zlib.crc32(body))}


@pytest.mark.parametrize("stream", ["false", "true"])
@pytest.mark.parametrize("encoding", ["plain", "gzip", "chunked"])
def test_encodings_are_undone(cloud, encoding, stream):
    body = b'{"a": "' + b"x" * 5000 + b'"}'
    cloud.answer("/page", [{
        "plain": Answer(body=body),
        "gzip": Answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}),
        "chunked": Answer(body=body, fault="chunked"),
    }[encoding]])
    assert ask(cloud, stream=stream)["crc"] == str(zlib.crc32(body))


THROTTLES = {
    "a 429 that says when": Answer(429, b"{}", {"Retry-After": "0"}),
    "a 429 with a date": Answer(429, b"{}", {"Retry-After": "Mon, 01 Jan 2024 00:00:00 GMT"}),
    "Azure's Cost Management": Answer(
        429, b'{"error":{"code":"429","message":"Too many requests. Please retry."}}',
        {"x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "0"}),
    "AWS with a 400": Answer(400, b'{"__type":"com.amazon#ThrottlingException","message":"Rate"}',
                             content_type="application/x-amz-json-1.1"),
    "EC2 in XML": Answer(503, b"<?xml version=\"1.0\"?><Response><Errors><Error><Code>"
                              b"RequestLimitExceeded</Code></Error></Errors></Response>",
                         content_type="text/xml"),
    "Alibaba Cloud": Answer(400, b'{"RequestId":"1","HostId":"ecs","Code":"Throttling.User",'
                                 b'"Message":"Request was denied due to user flow control."}'),
    "Huawei Cloud": Answer(429, b'{"error_code":"APIG.0308","error_msg":"reached the limit"}'),
    "Google": Answer(429, b'{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}'),
    "a server that is out of order": Answer(500, b"oops", content_type="text/plain"),
}


@pytest.mark.parametrize("name", THROTTLES)
def test_throttling_passes(cloud, name):
    cloud.answer("/page", [THROTTLES[name], THROTTLES[name], Answer()])
    assert ask(cloud)["attempts"] == "3"


@pytest.mark.parametrize("name", THROTTLES)
def test_throttling_that_does_not_pass_can_be_tried_later(cloud, name):
    cloud.answer("/page", [THROTTLES[name]])
    failure = refused(cloud)
    assert failure.kind == "retryable"
    assert "after 3 attempts" in str(failure) and len(cloud.requests) == 3


def test_a_wait_that_is_too_long_is_left_to_the_server(cloud):
    cloud.answer("/page", [Answer(429, b"{}", {"Retry-After": "3600"})])
    failure = refused(cloud)
    assert failure.kind == "retryable" and len(cloud.requests) == 1
    assert failure.failure.retry_after_seconds == 3600


def test_a_wait_is_kept(cloud):
    cloud.answer("/page", [Answer(503, b"{}", {"Retry-After": "0.4"}), Answer()])
    begin = time.monotonic()
    ask(cloud)
    assert time.monotonic() - begin >= 0.4  # what the service asked, whatever the machine does


BROKEN = {
    "a connection that is closed": "close",
    "an answer that stops in the middle": "stop",
    "a length that is too long": "long",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers_are_asked_for_again(cloud, name):
    cloud.answer("/page", [Answer(body=b'{"a":1}' * 100, fault=BROKEN[name]), Answer()])
    told = ask(cloud)
    assert (told["attempts"], told["bytes"]) == ("2", "2")


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers_that_stay_broken_can_be_tried_later(cloud, name):
    cloud.answer("/page", [Answer(body=b'{"a":1}' * 100, fault=BROKEN[name])])
    assert refused(cloud).kind == "retryable"


def test_a_stream_that_breaks_is_not_handed_on_twice(cloud):
    cloud.answer("/page", [Answer(body=b"x" * 100000, fault="stop")])
    failure = refused(cloud, stream="true")
    assert failure.kind == "retryable" and len(cloud.requests) == 1
    assert "after a part of the answer" in str(failure)


def test_a_service_that_never_answers_is_given_up(cloud):
    cloud.answer("/page", [Answer(fault="slow", seconds=5)])
    failure = refused(cloud, http={"idle_timeout_seconds": 1, "attempts": 1})
    assert failure.kind == "retryable"


def test_the_deadline_ends_a_wait_for_an_answer(cloud):
    cloud.answer("/page", [Answer(fault="slow", seconds=8)])
    begin = time.monotonic()
    failure = refused(cloud, deadline_seconds=1)
    assert failure.kind == "retryable" and "deadline" in str(failure)
    assert time.monotonic() - begin < 8


def test_nobody_listens(cloud):
    failure = refused(cloud, http={"endpoints": {"api": "http://127.0.0.1:1"}})
    assert failure.kind == "retryable"


@pytest.mark.parametrize("to", ["https://evil.example/x", "//evil.example/x", "http://127.0.0.1:1/"])
def test_a_redirect_to_another_host_carries_nothing(cloud, to):
    with FaultCloud() as other:
        to = to.replace("http://127.0.0.1:1", other.url)
        cloud.answer("/page", [Answer(302, b"", {"Location": to})])
        failure = refused(cloud, scheme=SIGV4, region="us-east-1", signed_service="x", secrets=AWS)
        assert failure.kind == "permanent" and other.requests == []
        assert "redirect" in str(failure)


def test_a_redirect_inside_the_origin_is_followed_and_signed_anew(cloud):
    cloud.answer("/page", [Answer(307, b"", {"Location": "/there?x=1"})])
    cloud.answer("/there", [Answer()])
    ask(cloud, scheme=SIGV4, region="us-east-1", signed_service="x", secrets=AWS)
    first, second = (request.headers["authorization"] for request in cloud.requests)
    assert first != second and cloud.requests[1].query == [("x", "1")]


def test_a_redirect_to_the_same_folder_is_followed(cloud):
    cloud.answer("/a/page", [Answer(302, b"", {"Location": "page2?y=1"})])
    cloud.answer("/a/page2", [Answer()])
    ask(cloud, "/a/page")
    assert cloud.requests[1].query == [("y", "1")]


def test_redirects_end(cloud):
    cloud.answer("/page", [Answer(302, b"", {"Location": "/page"})])
    assert refused(cloud).kind == "retryable" and len(cloud.requests) == 4


@pytest.mark.parametrize("link, path", [
    ("https://api.cloud.example:443/page2?t=1", "/page2"),
    ("https://api.cloud.example/page2?t=1", "/page2"),
])
def test_links_of_the_service_are_followed_at_the_operators_endpoint(cloud, link, path):
    cloud.answer(path, [Answer()])
    ask(cloud, link=link)
    assert [(request.path, request.query) for request in cloud.requests] == [(path, [("t", "1")])]


@pytest.mark.parametrize("link", ["https://evil.example/page2", "http://api.cloud.example/page2",
                                  "https://api.cloud.example:8443/page2"])
def test_a_link_to_another_origin_is_refused(cloud, link):
    failure = refused(cloud, link=link, scheme=SIGV4, region="us-east-1", signed_service="x",
                      secrets=AWS)
    assert failure.kind == "permanent" and cloud.requests == []
    assert "link to the next page" in str(failure)


def test_a_page_of_html_is_no_answer(cloud):
    page = Answer(200, b"<html>Please log in</html>", content_type="text/html; charset=utf-8")
    cloud.answer("/page", [page])
    failure = refused(cloud)
    assert failure.kind == "retryable" and "HTML" in str(failure)
    assert ask(cloud, accept=ANY)["bytes"] == "26"


@pytest.mark.parametrize("stream", ["false", "true"])
def test_an_answer_has_a_ceiling_after_decoding(cloud, stream):
    body = gzip.compress(b"\0" * 3_000_000)
    cloud.answer("/page", [Answer(body=body, headers={"Content-Encoding": "gzip"})])
    failure = refused(cloud, max_bytes=1_000_000, stream=stream)
    assert failure.kind == "permanent" and "1000000" in str(failure)
    assert len(cloud.requests) == 1


def test_50_mb_arrive_as_a_stream_in_little_memory(cloud):
    body = b"0123456789abcdef" * (50 << 16)
    cloud.answer("/page", [Answer(body=body)])
    told = ask(cloud, stream="true", max_bytes=1 << 30)
    assert told["crc"] == str(zlib.crc32(body))


REFUSALS = {
    "AWS": (403, b'{"__type":"SignatureDoesNotMatch"}', "auth", "SignatureDoesNotMatch"),
    "AWS with a 400": (400, b'{"__type":"UnrecognizedClientException"}', "auth",
                       "UnrecognizedClientException"),
    "EC2": (401, b"<Response><Errors><Error><Code>AuthFailure</Code></Error></Errors></Response>",
            "auth", "AuthFailure"),
    "Alibaba Cloud": (400, b'{"Code":"SignatureDoesNotMatch","Message":"x"}', "auth",
                      "SignatureDoesNotMatch"),
    "Huawei Cloud": (401, b'{"error_code":"APIGW.0301"}', "auth", "APIGW.0301"),
    "Google": (401, b'{"error":{"code":401,"status":"UNAUTHENTICATED"}}', "auth", "UNAUTHENTICATED"),
    "a wrong request": (400, b'{"error":{"code":400,"status":"INVALID_ARGUMENT"}}', "permanent",
                        "INVALID_ARGUMENT"),
    "nothing there": (404, b'{"code":"NotFound"}', "permanent", "NotFound"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_not_asked_again_and_keeps_its_code(cloud, name):
    status, body, kind, code = REFUSALS[name]
    cloud.answer("/page", [Answer(status, body)])
    failure = refused(cloud)
    assert (failure.kind, failure.code, len(cloud.requests)) == (kind, code, 1)


def test_a_clock_that_is_wrong_is_named(cloud):
    cloud.answer("/page", lambda _: Answer(403, b'{"__type":"RequestExpired"}',
                                           {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}))
    assert re.search(r"clock is \d+ seconds off", str(refused(cloud)))


def test_certificates_are_checked(tmp_path):
    certificate = make_certificate(tmp_path)
    with FaultCloud(certificate) as cloud:
        cloud.answer("/page", [Answer()])
        failure = refused(cloud)
        assert cloud.requests == [] and failure.kind == "retryable"
        assert ask(cloud, http={"ca_file": certificate[0]})["status"] == "200"


def test_the_providers_own_address_must_be_https(cloud):
    assert refused(cloud, url="http://api.cloud.example", service="other").kind == "permanent"


def test_secrets_that_are_missing_are_named(cloud):
    failure = refused(cloud, scheme=SIGV4, region="r", signed_service="s")
    assert "access_key_id" in str(failure) and cloud.requests == []


def test_secrets_are_not_told_when_a_service_repeats_them(cloud):
    body = b'{"code":"%s"}' % AWS["secret_access_key"].encode()
    cloud.answer("/page", [Answer(400, body)])
    failure = refused(cloud, scheme=SIGV4, region="r", signed_service="s", secrets=AWS)
    assert AWS["secret_access_key"] not in str(failure)
    assert AWS["secret_access_key"] not in failure.code


def test_a_key_in_the_query_is_not_told(cloud):
    cloud.answer("/page", [Answer(400, b"{}")])
    failure = refused(cloud, scheme=GCP_KEY, secrets={"api_key": "AIza-secret"})
    assert cloud.requests[0].query == [("key", "AIza-secret")]
    assert "AIza-secret" not in str(failure)


AZURE_SECRETS = {"tenant_id": "t", "client_id": "c", "client_secret": "top secret"}


def azure(cloud, **config):
    return ask(cloud, scheme=AZURE, scope="https://management.azure.com/.default",
               secrets=AZURE_SECRETS, **config)


def test_a_token_is_asked_for_once(cloud):
    cloud.answer("/t/oauth2/v2.0/token", [Answer(body=b'{"access_token":"T1","expires_in":3600}')])
    cloud.answer("/page", [Answer()])
    azure(cloud, times=3)
    assert [r.path for r in cloud.requests] == ["/t/oauth2/v2.0/token"] + ["/page"] * 3
    assert b"client_secret=top%20secret" in cloud.requests[0].body
    assert {r.headers["authorization"] for r in cloud.requests[1:]} == {"Bearer T1"}


def test_a_token_that_is_refused_is_asked_for_anew_once(cloud):
    tokens = iter(["T1", "T2", "T3", "T4"])
    cloud.answer("/t/oauth2/v2.0/token", lambda _: Answer(
        body=json.dumps({"access_token": next(tokens), "expires_in": 3600}).encode()))
    cloud.answer("/page", lambda r: Answer(200 if r.headers["authorization"] == "Bearer T2" else 401,
                                           b'{"error":{"code":"InvalidAuthenticationToken"}}'))
    assert azure(cloud)["attempts"] == "2"
    cloud.answer("/page", [Answer(401, b'{"error":{"code":"InvalidAuthenticationToken"}}')])
    cloud.requests.clear()
    with pytest.raises(PluginFailure) as caught:
        azure(cloud)
    assert caught.value.kind == "auth"
    assert [r.path for r in cloud.requests].count("/page") == 2  # one refresh, one retry, no loop


def test_a_token_that_lives_a_second_is_not_used_later(cloud):
    cloud.answer("/t/oauth2/v2.0/token", [Answer(body=b'{"access_token":"T1","expires_in":1}')])
    cloud.answer("/page", [Answer(fault="slow", seconds=1.2), Answer()])
    azure(cloud, times=2)
    assert [r.path for r in cloud.requests].count("/t/oauth2/v2.0/token") == 2


def test_wrong_credentials_are_told_as_such(cloud):
    cloud.answer("/t/oauth2/v2.0/token", [Answer(400, b'{"error":"invalid_client"}')])
    with pytest.raises(PluginFailure) as caught:
        azure(cloud)
    assert (caught.value.kind, caught.value.code) in [("auth", "invalid_client"), ("auth", "")]
    assert "top secret" not in str(caught.value)
