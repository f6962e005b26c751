"""What matters in the output of Terraform and Ansible: what would change, what failed, the recap."""

from typing import Final

from .filter import Rank
from .rules import Rule, Rules

TERRAFORM: Final = Rules(
    Rule(
        Rank.SUMMARY,
        r"Plan: |No changes\.|(?:Apply|Destroy) complete!|Terraform (?:has been successfully"
        r"|initialized)|OpenTofu has been",
    ),
    Rule(Rank.ERROR, r"(?:[╷│] ?)*Error: ", fails=True, then=Rank.EVIDENCE),
    Rule(Rank.WARNING, r"(?:[╷│] ?)*Warning: ", key=r"Warning: (.{0,60})", then=Rank.DETAIL),
    Rule(Rank.REPEAT, r"  # \S+.* (?:will be|must be|has|is tainted|have)"),
    Rule(Rank.DETAIL, r"\s+(?:~|-/\+|\+/-|-) |.*# forces replacement|.* -> "),
    Rule(
        Rank.NOISE,
        r"\S+: (?:Refreshing|Reading|Read complete|Still|Creation complete|Creating|Modifying|Destroying"
        r"|Modifications|Destruction)",
    ),
    Rule(
        Rank.NOISE,
        r"\s*$|─{5,}|Note: You didn't|guarantee to take|[╷╵│]\s*$|- (?:Finding|Installing|Reusing|Using)"
        r"|Initializing",
    ),
    Rule(Rank.PLAIN, r"\s+\+ "),
    Rule(Rank.CONTEXT, r"\S+ = |Outputs:|Changes to Outputs"),
)

ANSIBLE: Final = Rules(
    Rule(Rank.SUMMARY, r"\S+ +: ok=\d+ +changed=\d+"),
    Rule(Rank.FAILURE, r"(?:fatal|failed): \[|\[ERROR\]|ERROR! |.*UNREACHABLE!", fails=True, follow=r"\s+\S|Origin: |\d+ "),
    Rule(Rank.WARNING, r"\[(?:WARNING|DEPRECATION WARNING)\]: ", key=r"\]: (.{0,50})"),
    Rule(Rank.DETAIL, r"(?:TASK|RUNNING HANDLER) \[.*fail", fails=False),
    Rule(Rank.CONTEXT, r"(?:PLAY|PLAY RECAP|TASK|RUNNING HANDLER|PLAYBOOK)\b"),
    Rule(Rank.PLAIN, r"changed: \["),
    Rule(Rank.NOISE, r"(?:ok|skipping|included): |\s*$|\.\.\.ignoring"),
    Rule(Rank.EVIDENCE, r"Origin: \S+:\d+"),
    words=True,
)
