"""No message of the contract may contain itself: protobuf-c unpacks recursively without a limit."""
import sys

from google.protobuf import descriptor_pb2

files = descriptor_pb2.FileDescriptorSet()
files.ParseFromString(open(sys.argv[1], "rb").read())
fields = {}


def walk(prefix, message):
    name = f"{prefix}.{message.name}"
    fields[name] = {f.type_name for f in message.field if f.type_name}
    for nested in message.nested_type:
        walk(name, nested)


for file in files.file:
    for message in file.message_type:
        walk("." + file.package if file.package else "", message)

# descriptor.proto describes itself and is never read from a request
own = {n for n in fields if n.startswith((".isocost.", ".google.rpc.", ".google.type.", ".grpc."))}


def reaches(name, seen):
    for other in fields.get(name, ()):
        if other in seen:
            return seen + [other]
        found = reaches(other, seen + [other])
        if found:
            return found
    return None


cycles = [c for c in (reaches(name, [name]) for name in sorted(own)) if c]
for cycle in cycles:
    print(" -> ".join(cycle))
print(f"{len(own)} messages, {len(cycles)} cycles")
sys.exit(1 if cycles or not own else 0)
