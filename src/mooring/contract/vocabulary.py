"""Every fact an edition of the contract may state: its key, its kind and what it means."""

from __future__ import annotations

from typing import Any

from mooring.contract import fact
from mooring.contract.fact import Fact

# The image and where it listens.
IMAGE_MAX_SIZE = Fact("image.max_size", fact.size, "largest image that may be imported, unpacked")
MODEL_FILES_MAX_SIZE = Fact("image.model_files_max_size", fact.size, "most that model files in storage may weigh")
CUSTOM_ENGINE_MAX_SIZE = Fact(
    "image.custom_engine_max_size", fact.size, "image and model package together, for a custom engine in a shared pool"
)
ARCHITECTURES = Fact("image.architectures", fact.texts, "processors that images may be built for")
CUSTOM_ENGINE_USER = Fact(
    "image.custom_engine_user", fact.text, "user and group, as numbers, that images of a custom engine run as"
)
CUSTOM_ENGINE_MODEL_FOLDER = Fact(
    "image.custom_engine_model_folder", fact.path, "where model files from storage are copied to, for a custom engine"
)
MOUNT_FOLDER = Fact("storage.mount_folder", fact.path, "folder that the documents propose for mounting storage")
SERVICE_PORT = Fact("service.port", fact.count, "port the server in the container listens on")
SERVICE_PORT_CHOICE = Fact(
    "service.port_choice", fact.choice("fixed", "declared"), "whether another port may be named when a model is created"
)
SERVICE_BIND_ADDRESS = Fact("service.bind_address", fact.text, "address the server in the container binds")
SERVICE_PROTOCOLS = Fact("service.protocols", fact.texts, "protocols the server in the container may speak")

# Health.
HEALTH_REQUIRED = Fact("health.required", fact.flag, "whether every image needs a health endpoint")
HEALTH_REQUIRED_FOR_ROLLING = Fact(
    "health.required_for_rolling", fact.flag, "whether an upgrade without interruption needs a health endpoint"
)
HEALTH_URL = Fact("health.url", fact.path, "path that is probed when nothing else is declared")
HEALTH_STATUS = Fact("health.status", fact.count, "HTTP status of a healthy answer")
HEALTH_BODY = Fact("health.body", fact.text, "body of a healthy answer, as the documents show it")
HEALTH_INITIAL_DELAY = Fact("health.initial_delay", fact.duration, "wait after the start before the first probe")
HEALTH_PERIOD = Fact("health.period", fact.duration, "time between two probes")
HEALTH_FAILURE_THRESHOLD = Fact("health.failure_threshold", fact.count, "failed probes in a row that count as failure")
HEALTH_STOP_DELAY = Fact(
    "health.stop_delay", fact.duration, "time until an order to stop takes effect where a health check is declared"
)

# Connections and the end of a container.
KEEP_ALIVE = Fact("http.keep_alive", fact.duration, "how long an idle connection is kept open by the server")
LINGER_AFTER_SIGTERM = Fact("stop.linger", fact.duration, "how long the server goes on answering after SIGTERM")
DRAIN_LIMIT = Fact("stop.drain_limit", fact.duration, "time after SIGTERM by which the container has ended")

# Requests.
BODY_LIMIT = Fact("request.body_limit", fact.size, "largest body of a request through the API address")
CONSOLE_BODY_LIMIT = Fact("request.console_body_limit", fact.size, "largest body of a request from the web console")
PREDICT_TIME_LIMIT = Fact("request.gateway_time_limit", fact.duration, "time after which the gateway gives up waiting")
SYNC_TIME_LIMIT = Fact(
    "request.sync_time_limit", fact.duration, "longest prediction of a service that answers synchronously"
)

# Batch.
BOOT_FILE = Fact("batch.boot_file", fact.path, "file in the image that a batch run starts")
BOOT_COMMAND = Fact("batch.boot_command", fact.text, "the CMD of the image that starts it")
BATCH_TOOLS = Fact("batch.tools", fact.texts, "programs a batch run needs in the image")
BATCH_FILE_LIMIT = Fact("batch.file_limit", fact.size, "largest input file, when each file is a request")
BATCH_CSV_LIMIT = Fact("batch.csv_limit", fact.size, "largest input file, when each row of it is a request")
BATCH_RESULT_DIR = Fact("batch.result_dir", fact.text, "folder for results, below the output path")
BATCH_RESULT_FILE = Fact("batch.result_file", fact.pattern("name"), "name of a result, from the name of its input")
BATCH_RESULT_MANIFEST = Fact(
    "batch.result_manifest", fact.pattern("index", "task_id"), "name of the file that lists the results"
)
BATCH_RESULT_MANIFEST_PART = Fact(
    "batch.result_manifest_part", fact.pattern("task_id", "part"), "name of its further parts when there are many files"
)
BATCH_MANIFEST_WHEN = Fact(
    "batch.manifest_when", fact.choice("always", "manifest-input"), "when the list of results is written"
)
BATCH_MANIFEST_FIELDS = Fact("batch.manifest_fields", fact.texts, "fields of a line in the list of results")
BATCH_RESULT_LOCATION = Fact(
    "batch.result_location", fact.pattern("obs_path", "bucket", "key"), "how that list names where a result lies"
)

# Quotas and deployment.
SERVICE_QUOTA = Fact("quota.services", fact.count, "real-time services a user may have")
BATCH_SERVICE_QUOTA = Fact("quota.batch_services", fact.count, "batch services a user may have")
INSTANCE_QUOTA = Fact("quota.instances", fact.count, "instances a service may have")
BATCH_MODELS = Fact("quota.models_per_batch_service", fact.count, "models in one batch service")
DEPLOY_TIMEOUT_MIN = Fact("deploy.timeout_min", fact.duration, "shortest deploy timeout that may be set")
DEPLOY_TIMEOUT_MAX = Fact("deploy.timeout_max", fact.duration, "longest deploy timeout that may be set")
DEPLOY_TIMEOUT_DEFAULT = Fact("deploy.timeout_default", fact.duration, "deploy timeout when none is set")

# config.json.
CONFIG_MODEL_TYPES = Fact("config.model_types", fact.texts, "values model_type may have")
CONFIG_ALGORITHM_MAX_LENGTH = Fact("config.algorithm_max_length", fact.count, "characters model_algorithm may have")
CONFIG_FORBIDDEN_CHARACTERS = Fact(
    "config.forbidden_characters", fact.text, "characters model_algorithm and package names must not hold"
)
CONFIG_DEFAULT_PROTOCOL = Fact(
    "config.default_protocol", fact.choice("http", "https"), "protocol of an api without one"
)
CONFIG_DEFAULT_RUNTIME = Fact("config.default_runtime", fact.text, "runtime of an engine's model without one")
CONFIG_REQUEST_TYPES = Fact("config.request_types", fact.texts, "Content-type values a request may declare")
CONFIG_RESPONSE_TYPES = Fact("config.response_types", fact.texts, "Content-type values a response may declare")
CONFIG_METRIC_DECIMALS = Fact("config.metric_decimals", fact.count, "decimal places of a metric that are kept")
CONFIG_INSTALLERS = Fact("config.installers", fact.texts, "values installer may have in dependencies")

FACTS: dict[str, Fact[Any]] = {value.key: value for value in list(globals().values()) if isinstance(value, Fact)}
