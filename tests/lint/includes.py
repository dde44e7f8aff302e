"""Which folder may include what. Prints each include that stands on no allowed edge."""
import os
import re
import sys

root = sys.argv[1]

# (folder prefix, pattern of allowed includes beside the folder's own files and the C library)
ALLOWED = [
    ("solver/base", r"isocost/base/"),
    ("solver/problem", r"isocost/(base|problem|plan|ledger)"),
    ("solver/verify", r"isocost/(base|problem|plan|verify)"),
    ("solver/include/isocost/base", r"isocost/base/"),
    ("solver/include", r"isocost/(base|problem|plan)"),
    ("solver", r"isocost/(base|problem|plan|ledger|solve|past)"),
    ("proto/c", r"isocost/(base|proto|v1|internal)|google/|grpc/(health|reflection)|protobuf-c/"),
    ("plugins/include", r"isocost/(base/|plugin_rows\.h$)"),
    ("plugins/sdk", r"isocost/(base|plugin|sdk)"),
    ("plugins/host", r"isocost/(base|plugin|sdk|proto|v1|internal)|google/"),
    ("plugins", r"isocost/(base|plugin|sdk)"),
    ("clients", r"isocost/(base|proto|v1|client)|google/"),
    ("server", r"isocost/(base|problem|plan|proto|v1|internal|verify|solve|past|ledger)|google/|grpc/(health|reflection)"),
]

# third-party header -> the only places that may include it
HOMES = {
    r"glpk\.h": r"solver/glpk_\w+\.c$",
    r"grpc/(?!health|reflection).*": r"(server/rpc|clients/c)/",
    r"microhttpd\.h": r"server/http/",
    r"sqlite3\.h": r"server/store/sqlite\.[ch]$",
    r"libpq-fe\.h": r"server/store/postgres\.[ch]$",
    r"curl/.*": r"plugins/host/",
    r"openssl/.*": r"plugins/host/",
    r"jansson\.h": r"(proto/c|plugins/sdk)/",
    r"yaml\.h": r"proto/c/",
    r"csv\.h": r"plugins/sdk/",
    r"expat\.h": r"plugins/sdk/",
    r"libsmartcols.*": r"clients/cli/",
    r"readline/.*": r"clients/cli/shell_input\.c$",
    r"seccomp\.h": r"plugins/host/",
    # frames check their sums with it in proto/c; plugins read .csv.gz through sdk/gzip.h
    r"zlib\.h": r"(proto/c|plugins/sdk)/",
}

# our own headers with one home
OWN = {
    r"isocost/(solve|past)\.h": r"^(solver/|server/solve/)",
    r"isocost/verify\.h": r"^(solver/verify/|solver/include/|server/jobs/|server/solve/answer)",
}

problems = []
for folder in ("solver", "proto", "plugins", "server", "clients"):
    for path, _, names in os.walk(os.path.join(root, folder)):
        for name in sorted(names):
            if not name.endswith((".c", ".h")):
                continue
            file = os.path.relpath(os.path.join(path, name), root)
            for number, line in enumerate(open(os.path.join(path, name), encoding="utf-8"), 1):
                match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
                if not match:
                    continue
                header = match.group(2)
                for pattern, home in HOMES.items():
                    if re.fullmatch(pattern, header) and not re.search(home, file):
                        problems.append(f"{file}:{number}: {header} has its home elsewhere")
                for pattern, home in OWN.items():
                    if re.fullmatch(pattern, header) and not re.search(home, file):
                        problems.append(f"{file}:{number}: {header} may not be used here")
                if header.startswith(("isocost/", "google/")):
                    for prefix, pattern in ALLOWED:
                        if file.startswith(prefix + "/"):
                            if not re.match(pattern, header):
                                problems.append(f"{file}:{number}: {prefix}/ may not use {header}")
                            break
                elif match.group(1) == '"' and folder == "clients":
                    if os.path.exists(os.path.join(root, "server", header)):
                        problems.append(f"{file}:{number}: clients may not use the server's {header}")
print("\n".join(problems) if problems else "every include stands on an allowed edge")
sys.exit(1 if problems else 0)
