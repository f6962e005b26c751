"""What matters in the output of Docker, Kubernetes and Helm; tables keep their rows, those in trouble first."""

from typing import Final

from .filter import Rank
from .rules import Rule, Rules

DOCKER_BUILD: Final = Rules(
    Rule(
        Rank.ERROR,
        r"(?:ERROR|error): |#\d+ ERROR|failed to solve|executor failed"
        r"|The command '.*' returned a non-zero",
        fails=True,
    ),
    Rule(Rank.EVIDENCE, r"(?: > |>>> |#\d+ [\d.]+ .*(?:[Ee]rror|ERR!|not found|[Ff]ailed|No such))"),
    Rule(Rank.WARNING, r"(?:#\d+ )?(?:WARN|warning)|\d+ warnings? found| - \w+: ", key=r"((?:WARN|warning)\w*.{0,40}| - \w+)"),
    Rule(Rank.DETAIL, r"Step \d+/\d+ : |#\d+ \[[^\]]*\d+/\d+\] |------|\s+\d+ \|"),
    Rule(Rank.SUMMARY, r"Successfully (?:built|tagged)|#\d+ (?:naming to|writing image)|\[\+\] Building|\S*Dockerfile:\d+"),
    Rule(
        Rank.NOISE,
        r"#\d+ (?:sha256:|transferring|extracting|resolve|DONE|CACHED|exporting|sending|reading|\.\.\.|[\d.]+ (?:Get:"
        r"|Selecting|Unpacking|Setting|Preparing|Reading))"
        r"|[0-9a-f]{12}: (?:Pull|Wait|Down|Verif|Extr|Already)| ---> |Removing intermediate|Sending build|\s*$",
    ),
    Rule(Rank.PLAIN, r"#\d+ "),
)

DOCKER_TABLE: Final = Rules(
    Rule(Rank.SUMMARY, r"(?:CONTAINER ID|REPOSITORY|NETWORK ID|DRIVER|NAME +IMAGE|VOLUME)"),
    Rule(Rank.EVIDENCE, r".*(?:Exited \([1-9]|Restarting|unhealthy|Dead|\bOOM|<none>.*<none>)"),
    words=False,
)

KUBECTL_TABLE: Final = Rules(
    Rule(Rank.SUMMARY, r"(?:NAMESPACE +)?NAME +\S|No resources found|LAST SEEN"),
    Rule(
        Rank.EVIDENCE,
        r".*\b(?:CrashLoopBackOff|Error|ImagePullBackOff|ErrImagePull|OOMKilled|Evicted|Pending|Failed|NotReady"
        r"|Unknown|CreateContainer\w+Error"
        r"|Init:\S*|Terminating|Unschedulable|SchedulingDisabled|Lost|Warning)\b",
    ),
    Rule(Rank.EVIDENCE, r"Error from server|error: |Unable to connect|The connection to the server", fails=True),
    words=False,
)

KUBECTL_DESCRIBE: Final = Rules(
    Rule(Rank.DETAIL, r"(?:Name|Namespace|Status|Node|Reason|Message|Replicas|Type|Image|State|Phase):"),
    Rule(Rank.EVIDENCE, r"\s+(?:Reason|Message|Exit Code|Last State|State|Restart Count): +(?!Started|Running|0$)"),
    Rule(Rank.WARNING, r"\s+Warning +\S", key=r"Warning +(\S+)"),
    Rule(Rank.CONTEXT, r"\S[\w .-]*:"),
    Rule(Rank.DETAIL, r"\s+(?:Image|Ready|Limits|Requests|Liveness|Readiness|Normal):?"),
    Rule(Rank.NOISE, r"\s*$|\s+/var/run/secrets|QoS Class|Tolerations"),
)

HELM: Final = Rules(
    Rule(
        Rank.SUMMARY,
        r"(?:NAME|STATUS|REVISION|LAST DEPLOYED|NAMESPACE|CHART): |Error: |Release \S+ has been"
        r"|.*\d+ chart\(s\) linted",
        fails=False,
    ),
    Rule(Rank.ERROR, r"\[ERROR\]|Error: |.*execution error at", fails=True),
    Rule(Rank.WARNING, r"\[WARNING\]|W\d{4} |WARNING: ", key=r"(\[?WARNING.{0,50}|W\d{4}.{0,40})"),
    Rule(Rank.DETAIL, r"NOTES:|==> |---$|# Source: "),
    Rule(Rank.NOISE, r"\[INFO\]|\s*$|Hang tight|\.\.\.Success"),
)
