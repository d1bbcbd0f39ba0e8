# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warren's messages as protobuf classes, built when first asked for.

One schema, that of v1.3.0 to v1.6.0, serves both dialects: servers of dialect ``tasks`` use the same field numbers and
types under other names (HealthCheck excepted, which is therefore never sent to them). No generated code: it would pin
the user's protobuf version and fails ansible-test sanity.
"""

from __future__ import annotations

import functools
import re
import typing as t

if t.TYPE_CHECKING:
    from google.protobuf.message import Message

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

    PROTOBUF_IMPORT_ERROR: ImportError | None = None
except ImportError as error:
    PROTOBUF_IMPORT_ERROR = error

PACKAGE = "warren.v1"
SERVICE = "warren.v1.WarrenAPI"

# message = number name:type; …   ([] = repeated)
MESSAGES = """
# Nodes
Node = 1 id:string; 2 role:string; 3 address:string; 4 overlay_ip:string; 5 resources:NodeResources; 6
    status:string; 7 last_heartbeat:Timestamp; 8 created_at:Timestamp; 9 labels:map<string,string>
NodeResources = 1 cpu_cores:int64; 2 memory_bytes:int64; 3 disk_bytes:int64
RegisterNodeRequest = 1 id:string; 2 role:string; 3 address:string; 4 resources:NodeResources; 5
    labels:map<string,string>
RegisterNodeResponse = 1 node:Node; 2 overlay_ip:string
HeartbeatRequest = 1 node_id:string; 2 available_resources:NodeResources; 3 container_statuses:ContainerStatus[]
HeartbeatResponse = 1 status:string
ContainerStatus = 1 container_id:string; 2 actual_state:string; 3 runtime_container_id:string; 4 error:string
ListNodesRequest = 1 role_filter:string
ListNodesResponse = 1 nodes:Node[]
GetNodeRequest = 1 id:string
GetNodeResponse = 1 node:Node
RemoveNodeRequest = 1 id:string
RemoveNodeResponse = 1 status:string

# Services
Service = 1 id:string; 2 name:string; 3 image:string; 4 replicas:int32; 5 mode:string; 6 deploy_strategy:string; 7
    update_config:UpdateConfig; 8 health_check:HealthCheck; 9 restart_policy:RestartPolicy; 10
    resources:ResourceRequirements; 11 networks:string[]; 12 volumes:VolumeMount[]; 13 env:map<string,string>; 14
    command:string[]; 15 created_at:Timestamp; 16 updated_at:Timestamp; 17 ports:PortMapping[]; 18
    stop_timeout:int32
UpdateConfig = 1 parallelism:int32; 2 delay_seconds:int32; 3 failure_action:string; 4 max_surge:int32; 5
    max_unavailable:int32; 6 health_check_grace_period_seconds:int32; 7 canary_weight:int32; 8 canary_steps:int32[];
    9 canary_stability_window_seconds:int32; 10 blue_green_grace_period_seconds:int32; 11
    auto_rollback_enabled:bool; 12 failure_threshold_percent:int32
HealthCheck = 1 type:Type; 2 http:HTTPHealthCheck; 3 tcp:TCPHealthCheck; 4 exec:ExecHealthCheck; 5
    interval_seconds:int32; 6 timeout_seconds:int32; 7 retries:int32; 8 start_period_seconds:int32
HTTPHealthCheck = 1 path:string; 2 port:int32; 3 scheme:string; 4 headers:Header[]; 5 status_code_min:int32; 6
    status_code_max:int32
Header = 1 key:string; 2 value:string
TCPHealthCheck = 1 port:int32
ExecHealthCheck = 1 command:string[]
RestartPolicy = 1 condition:string; 2 max_attempts:int32; 3 delay_seconds:int32
ResourceRequirements = 1 cpu_shares:int64; 2 memory_bytes:int64; 3 memory_reservation_bytes:int64
VolumeMount = 1 source:string; 2 target:string; 3 read_only:bool
PortMapping = 1 name:string; 2 container_port:int32; 3 host_port:int32; 4 protocol:string; 5
    publish_mode:PublishMode
CreateServiceRequest = 1 name:string; 2 image:string; 3 replicas:int32; 4 mode:string; 5 deploy_strategy:string; 6
    update_config:UpdateConfig; 7 health_check:HealthCheck; 8 restart_policy:RestartPolicy; 9
    resources:ResourceRequirements; 10 networks:string[]; 11 volumes:VolumeMount[]; 12 env:map<string,string>; 13
    command:string[]; 14 ports:PortMapping[]; 15 stop_timeout:int32
CreateServiceResponse = 1 service:Service
UpdateServiceRequest = 1 id:string; 2 replicas:int32; 3 image:string; 4 env:map<string,string>
UpdateServiceResponse = 1 service:Service
UpdateServiceImageRequest = 1 id:string; 2 image:string; 3 strategy:string; 4 update_config:UpdateConfig
UpdateServiceImageResponse = 1 status:string
RollbackServiceRequest = 1 id:string
RollbackServiceResponse = 1 status:string
DeleteServiceRequest = 1 id:string
DeleteServiceResponse = 1 status:string
GetServiceRequest = 1 id:string; 2 name:string
GetServiceResponse = 1 service:Service
ListServicesRequest =
ListServicesResponse = 1 services:Service[]

# Containers
Container = 1 id:string; 2 service_id:string; 3 service_name:string; 4 node_id:string; 5
    runtime_container_id:string; 6 desired_state:string; 7 actual_state:string; 8 image:string; 9 command:string[];
    10 env:map<string,string>; 11 resources:ResourceRequirements; 12 volumes:VolumeMount[]; 13
    health_check:HealthCheck; 14 restart_policy:RestartPolicy; 15 created_at:Timestamp; 16 updated_at:Timestamp; 17
    error:string; 18 secrets:string[]; 19 stop_timeout:int32
UpdateContainerStatusRequest = 1 container_id:string; 2 node_id:string; 3 actual_state:string; 4
    runtime_container_id:string; 5 error:string
UpdateContainerStatusResponse = 1 status:string
ListContainersRequest = 1 service_id:string; 2 node_id:string
ListContainersResponse = 1 containers:Container[]
GetContainerRequest = 1 id:string
GetContainerResponse = 1 container:Container
WatchContainersRequest = 1 node_id:string
ContainerEvent = 1 type:string; 2 container:Container
ReportContainerHealthRequest = 1 container_id:string; 2 healthy:bool; 3 message:string; 4 checked_at:Timestamp; 5
    consecutive_failures:int32; 6 consecutive_successes:int32
ReportContainerHealthResponse = 1 status:string

# Cluster, certificates, events
GenerateJoinTokenRequest = 1 role:string
GenerateJoinTokenResponse = 1 token:string; 2 role:string; 3 expires_at:Timestamp
JoinClusterRequest = 1 node_id:string; 2 bind_addr:string; 3 token:string
JoinClusterResponse = 1 status:string; 2 leader_addr:string
GetClusterInfoRequest =
GetClusterInfoResponse = 1 leader_id:string; 2 leader_addr:string; 3 servers:ClusterServer[]
ClusterServer = 1 id:string; 2 address:string; 3 suffrage:string
RequestCertificateRequest = 1 node_id:string; 2 token:string
RequestCertificateResponse = 1 certificate:bytes; 2 private_key:bytes; 3 ca_cert:bytes
StreamEventsRequest = 1 event_types:string[]
Event = 1 id:string; 2 type:string; 3 timestamp:Timestamp; 4 message:string; 5 metadata:map<string,string>

# Secrets and volumes
Secret = 1 id:string; 2 name:string; 3 created_at:Timestamp; 4 data:bytes
CreateSecretRequest = 1 name:string; 2 data:bytes
CreateSecretResponse = 1 secret:Secret
DeleteSecretRequest = 1 id:string
DeleteSecretResponse = 1 status:string
GetSecretByNameRequest = 1 name:string
GetSecretByNameResponse = 1 secret:Secret
ListSecretsRequest =
ListSecretsResponse = 1 secrets:Secret[]
Volume = 1 id:string; 2 name:string; 3 driver:string; 4 driver_opts:map<string,string>; 5 labels:map<string,string>;
    6 created_at:Timestamp; 7 node_id:string; 8 mount_path:string
CreateVolumeRequest = 1 name:string; 2 driver:string; 3 driver_opts:map<string,string>; 4 labels:map<string,string>
CreateVolumeResponse = 1 volume:Volume
DeleteVolumeRequest = 1 id:string
DeleteVolumeResponse = 1 status:string
GetVolumeByNameRequest = 1 name:string
GetVolumeByNameResponse = 1 volume:Volume
ListVolumesRequest =
ListVolumesResponse = 1 volumes:Volume[]

# Ingress and TLS certificates (rarely needed)
Ingress = 1 id:string; 2 name:string; 3 rules:IngressRule[]; 4 tls:IngressTLS; 5 labels:map<string,string>; 6
    created_at:Timestamp; 7 updated_at:Timestamp
IngressRule = 1 host:string; 2 paths:IngressPath[]
IngressPath = 1 path:string; 2 path_type:string; 3 backend:IngressBackend
IngressBackend = 1 service_name:string; 2 port:int32
IngressTLS = 1 enabled:bool; 2 secret_name:string; 3 hosts:string[]; 4 auto_tls:bool; 5 email:string
CreateIngressRequest = 1 name:string; 2 rules:IngressRule[]; 3 tls:IngressTLS; 4 labels:map<string,string>
CreateIngressResponse = 1 ingress:Ingress
UpdateIngressRequest = 1 id:string; 2 name:string; 3 rules:IngressRule[]; 4 tls:IngressTLS; 5
    labels:map<string,string>
UpdateIngressResponse = 1 ingress:Ingress
DeleteIngressRequest = 1 id:string; 2 name:string
DeleteIngressResponse = 1 status:string
GetIngressRequest = 1 id:string; 2 name:string
GetIngressResponse = 1 ingress:Ingress
ListIngressesRequest =
ListIngressesResponse = 1 ingresses:Ingress[]
TLSCertificate = 1 id:string; 2 name:string; 3 hosts:string[]; 4 cert_pem:bytes; 5 key_pem:bytes; 6 issuer:string; 7
    not_before:Timestamp; 8 not_after:Timestamp; 9 auto_renew:bool; 10 labels:map<string,string>; 11
    created_at:Timestamp; 12 updated_at:Timestamp
CreateTLSCertificateRequest = 1 name:string; 2 hosts:string[]; 3 cert_pem:bytes; 4 key_pem:bytes; 5
    labels:map<string,string>
CreateTLSCertificateResponse = 1 certificate:TLSCertificate
GetTLSCertificateRequest = 1 id:string; 2 name:string
GetTLSCertificateResponse = 1 certificate:TLSCertificate
ListTLSCertificatesRequest =
ListTLSCertificatesResponse = 1 certificates:TLSCertificate[]
DeleteTLSCertificateRequest = 1 id:string; 2 name:string
DeleteTLSCertificateResponse = 1 status:string
"""

ENUMS = {
    ("HealthCheck", "Type"): ("HTTP", "TCP", "EXEC"),
    ("PortMapping", "PublishMode"): ("HOST", "INGRESS"),
}


class Method(t.NamedTuple):
    """One RPC: the names of its messages; ``stream``: the server streams; ``write``: it goes through Raft."""

    name: str
    request: str
    response: str
    stream: bool
    write: bool


# Every RPC of v1.6.0; a request message is METHODRequest and a response METHODResponse, but for the two streams.
_WRITES = """
RegisterNode Heartbeat RemoveNode CreateService UpdateService UpdateServiceImage RollbackService DeleteService
UpdateContainerStatus ReportContainerHealth CreateSecret DeleteSecret CreateVolume DeleteVolume GenerateJoinToken
JoinCluster CreateIngress UpdateIngress DeleteIngress CreateTLSCertificate DeleteTLSCertificate
"""
_READS = """
ListNodes GetNode GetService ListServices ListContainers GetContainer GetSecretByName ListSecrets GetVolumeByName
ListVolumes GetClusterInfo RequestCertificate GetIngress ListIngresses GetTLSCertificate ListTLSCertificates
"""
METHODS: dict[str, Method] = {
    name: Method(name, f"{name}Request", f"{name}Response", False, write)
    for names, write in ((_WRITES, True), (_READS, False))
    for name in names.split()
}
METHODS["WatchContainers"] = Method("WatchContainers", "WatchContainersRequest", "ContainerEvent", True, False)
METHODS["StreamEvents"] = Method("StreamEvents", "StreamEventsRequest", "Event", True, False)

_FIELD = re.compile(r"(\d+) (\w+):([\w<>,]+)(\[\])?$")


def _table() -> dict[str, str]:
    """``{message: its fields as one line}``, from MESSAGES with the continuation lines joined."""
    joined = MESSAGES.replace("\n    ", " ")
    pairs = (line.partition(" =") for line in joined.splitlines() if line and not line.startswith("#"))
    return {name: fields.strip() for name, _equals, fields in pairs}


def _set_type(field: t.Any, kind: str, owner: t.Any) -> None:
    """Give a FieldDescriptorProto its type: scalar, enum of its message, map, Timestamp or message."""
    field_types = descriptor_pb2.FieldDescriptorProto
    scalars = {
        "string": field_types.TYPE_STRING,
        "bytes": field_types.TYPE_BYTES,
        "bool": field_types.TYPE_BOOL,
        "int32": field_types.TYPE_INT32,
        "int64": field_types.TYPE_INT64,
    }
    if kind in scalars:
        field.type = scalars[kind]
    elif (owner.name, kind) in ENUMS:
        field.type = field_types.TYPE_ENUM
        field.type_name = f".{PACKAGE}.{owner.name}.{kind}"
        enum = owner.enum_type.add(name=kind)
        for number, value in enumerate(ENUMS[owner.name, kind]):
            enum.value.add(name=value, number=number)
    elif kind == "map<string,string>":
        entry = owner.nested_type.add(name="".join(part.title() for part in field.name.split("_")) + "Entry")
        entry.options.map_entry = True
        for number, name in enumerate(("key", "value"), start=1):
            entry.field.add(name=name, number=number, label=field_types.LABEL_OPTIONAL, type=field_types.TYPE_STRING)
        field.label = field_types.LABEL_REPEATED
        field.type = field_types.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{owner.name}.{entry.name}"
    else:
        field.type = field_types.TYPE_MESSAGE
        field.type_name = ".google.protobuf.Timestamp" if kind == "Timestamp" else f".{PACKAGE}.{kind}"


def file_descriptor() -> t.Any:
    """The FileDescriptorProto of warren.v1 (messages only), built from MESSAGES."""
    field_types = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="warren/v1/warren.proto",
        package=PACKAGE,
        syntax="proto3",
        dependency=["google/protobuf/timestamp.proto"],
    )
    for name, fields in _table().items():
        owner = file.message_type.add(name=name)
        for text in filter(None, fields.split("; ")):
            match = _FIELD.match(text)
            if match is None:
                raise ValueError(f"field {text!r} of message {name} cannot be read")
            number, field_name, kind, repeated = match.groups()
            label = field_types.LABEL_REPEATED if repeated else field_types.LABEL_OPTIONAL
            _set_type(owner.field.add(name=field_name, number=int(number), label=label), kind, owner)
    return file


@functools.cache
def _classes() -> dict[str, type[Message]]:
    if PROTOBUF_IMPORT_ERROR is not None:
        raise PROTOBUF_IMPORT_ERROR
    pool = descriptor_pool.DescriptorPool()  # private: a second copy of the schema in this process does not collide
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file_descriptor().SerializeToString())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in _table()}


def message(name: str) -> t.Any:
    """The class of a message, such as ``message("CreateServiceRequest")``; KeyError if there is none of that name.

    Typed Any: the classes come into being at run time, so a type checker cannot know their fields.
    """
    return _classes()[name]
