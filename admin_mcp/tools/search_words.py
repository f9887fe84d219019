"""What people say, and what the tools call it: the vocabulary of the search, and how a text becomes words. Pure."""

import re
from collections.abc import Sequence
from itertools import pairwise

_NOISE = frozenset(
    """
    a about again also am an and any anyone anything anywhere are as at be been being but by can could did do does
    doing done down during each else ever everything for friday from get had has have he help her here him his
    how i if in into is it its just kind last like many me monday more most much my need next night now of off
    on once one or other our out over per please right she should so some something still such than that the their
    them then there these they thing things this those through to today tomorrow too until up us very via want was we
    week weekly were what when where which while who whom whose why will with without would year yesterday yet you
    your
    """.split()  # noqa: SIM905 - a list of them would fill a page
)
"""Words that say nothing about which tool is meant, once the phrases are taken out."""

FOREIGN = frozenset(
    """
    aan alle als ao aos auf aus avec com con dal das de dei dem den der des die du dos een ein eine einem einen einer
    el em en et fuer het il im ist la las le les letzten lo los mit na nel nicht nos onze os para por pour que
    quel quels qui si sind sul toe tutti um un una une und van vom von voor wer wie zu zum zur
    """.split()  # noqa: SIM905 - as above
)
"""Small words of other languages, which English queries don't have: more of such a query must be understood."""

_PHRASES = {
    # Whether one asks or tells.
    r"who (all )?(can|may|could|is allowed to) (?!access|reach|see|use|enter)\w+.*": (
        "list role permission review access"
    ),
    r"who (still |all |else )?(can|may|could|has|have|is) (?P<rest>(still |all )?(access|reach|see|use|owner|admin))": (
        "list review access"
    ),
    r"who is": "get user",
    r"(what|which) (access|rights?|roles?|permissions?)": "list role",
    r"what (does|do|can|may) (?P<rest>(\S+ ){1,3}?)(grant|give|allow|do)\b": "list role permission",
    r"(when|who) (was|were|did|has|have) (?P<rest>(\S+ ){0,6}?)"
    r"(changed|created|deleted|added|removed|invited|modified|updated|revoked|granted|archived)": "audit_log",
    r"is (?P<rest>(\S+ ){1,4}?)(enabled|disabled|allowed|permitted|on|off)": "get permission",
    r"(make|turn) (?P<rest>(\S+ ){1,3}?)(an? |the )?(owner|admin\w*|reader)": "update user role owner",
    # What is done.
    r"^(please )?(invite|resend|send)": "create invite",
    r"(e-?mail|mail|notify|warn|tell|alert|ping) (?P<rest>\S+ )(when|if|once|before|as soon)": "create spend alert",
    r"(add|put|bring|let) (?P<rest>(\S+ ){1,4}?)(in)?to": "add",
    r"let\w* (?P<rest>(\S+ ){1,6}?)(act|log|sign)": "add create federation",
    r"(switch|turn)\w* (it )?off": "deactivate disable",
    r"(switch|turn)\w* (it )?on": "activate enable",
    r"(take|kick|throw|cut|pull)\w* (?P<rest>(\S+ ){0,3}?)(away|off|out)": "remove",
    r"get\w* rid|give up": "delete",
    r"(close|shut|wind)\w* (it )?down": "archive",
    r"set\w* up|sign\w* up": "create",
    r"bring (your|our|my|their) own": "create external",
    r"(carry|carries|carried) (it )?out|go ahead|(run|execute|perform)\w* (\S+ ){0,3}?plan": "apply plan",
    r"(roll|take|go|change)\w* (it )?back": "undo",
    r"(lock|freeze|block)\w* (\S+ ){0,2}?down": "lockdown",
    r"in one go|at once|all together|in bulk|several changes|many changes": "plan changes",
    r"(does|do|will|can) (?P<rest>(\S+ ){1,4}?)work|reachable|healthy|health check|can be (used|reached)": "validate",
    r"is (\S+ ){1,3}in (the |a )?(\S+ )?(group|team)\w*": "get group user",
    # What it is about.
    r"(log|logs|logged|logging|sign|signs|signed|signing) ?-?ins?\b": "audit_log login",
    r"(log|logs|logged|logging|sign|signs|signed|signing) ?-?outs?\b": "audit_log login",
    r"ip address\w*": "audit_log",
    r"who (\w+ )?(deleted|changed|created|removed|added|made|did|modified|updated|granted|touched|accessed)": (
        "audit_log"
    ),
    r"service acc?ounts?|bot (user|account)s?": "service_account",
    r"(e-?mail|mail) ad+res+\w*": "email",
    r"(spend|spent|spending|cost|money|budget|bill)\w* (alert|e?-?mail|mail|notification|warning)\w*": "spend alert",
    r"(hard )?(spend|spending|cost|budget|money|monthly|billing) (cap|limit|ceiling|maximum)s?": "spend_limit",
    r"may (\S+ ){0,4}?spend": "spend_limit",
    r"(spend|spending|pay|paying|cost|costing) (over|more than|above)": "spend_limit",
    r"(request|token|call|image)s? (per|a|each|every) (minute|day|second)": "rate_limit",
    r"tpm|rpm|rpd|throttl\w*|rate limit\w*": "rate_limit",
    r"data[ -]?ret\w+ion|(keep|kept|store|stored|retain|retained) (\S+ ){0,3}?(day|long|zero)\w*"
    r"|how long (\S+ ){0,3}?(kept|stored|retained)|zdr": "data_retention",
    r"text[ -]to[ -]speech|tts": "audio speeches",
    r"speech[ -]to[ -]text|stt": "audio transcriptions",
    r"web[ -]?search\w*|search\w* the (web|internet)": "web search",
    r"vector[ -]?stores?": "vector store",
    r"file[ -]?sea?rch\w*": "file search",
    r"code[ -]interpreters?|python (sandbox|session)\w*": "code interpreter",
    r"without (an? )?(api )?keys?|key-?less": "workload_identity",
    r"(own|customer|external)(er)?(-| )?(managed |held )?(encryption|kms)?( |-)?keys?\b|byok|cmek": "external key",
    r"(own|external) (\S+ )?(bucket|container|storage)s?": "external storage",
    r"(fewer|less|only certain|restrict\w*|limit) (scopes|what (an? |the |this )?(api )?key)": "update api_key scopes",
    r"(which|what) models|(allowed|forbidden|permitted|blocked|banned|denied) models?|models? (are |is )?"
    r"(allowed|forbidden|permitted|blocked|banned|denied|restriction\w*)": "model permissions",
    r"(block|ban|forbid|deny|allow|permit|prohibit|disallow)\w* (\S+ )?(gpt|dall|o\d|model)\S*": (
        "update model permissions"
    ),
    r"gpt-?\S+|o[134](-\S+)?|dall-?e\S*": "model",
    r"(?P<rest>user|project|role|group|key|invite)[_-](?=\w*\d)\w+": "",
    # Who it is about.
    r"(new|next) (hire|joiner|starter|colleague|employee|engineer|teammate)\w*": "onboarding create invite user",
    r"(whole|entire) (org\w*|company)": "organization",
}
"""Several words that mean one thing together, and the words of the tools for it. The longer stand first."""

_SAYINGS = """
user: member person people employee colleague coworker staff human someone somebody guy folk developer engineer hire
user: teammate contractor individual anybody everyone
group: team department squad crew division
organization: org company organisation firm workspace business
role: permission privilege right
permission: access allow scope may
project: app application environment
api_key: apikey key token credential
key: credential token secret
service_account: bot robot ci pipeline machine cron
cost: money spend spent bill invoice price dollar expense expensive cheap pay charge usd financial
spend_limit: budget cap ceiling maximum
limit: cap quota ceiling restriction maximum throttle threshold
rate_limit: quota tpm rpm
alert: notify notification warn warning email mail recipient reminder
recipient: email mail
audit_log: audit log event history activity trail happened deleted
certificate: cert mtls tls x509 ssl
data_retention: zdr retain
residency: region eu country geography location europe
model: gpt llm
image: picture photo dalle drawing illustration
transcription: whisper dictation
embedding: vector
minute: second
token: burn consume
usage: use consume consumption volume
external_key: kms encryption byok cmek vault
storage: bucket blob s3 gcs container disk store space
external_storage: bucket blob s3 gcs container
workload_identity: oidc kubernetes github federation keyless issuer workflow k8s gitlab terraform
provider: issuer
federation: workflow
email: mail address
expiry: expire validity
service_tier: tier flex priority batch
default: standard
hosted_tool: tool connector
owner: admin administrator own
last_use: stale idle
create: new make define add trust let register generate start open issue rotate launch build establish
invite: invitation resend onboard welcome
add: put include let bring join
assign: grant give hand
upload: install import
delete: remove revoke drop destroy erase kill end cancel withdraw disconnect stop clear fire wipe lift
remove: delete revoke drop kick take evict exclude expel end withdraw fire
unassign: revoke remove take strip
archive: delete close retire remove sunset decommission
update: change edit modify set rename adjust raise increase lower decrease replace promote demote downgrade upgrade
update: reduce alter block forbid deny disable enable pause raise extend switch restrict zero
activate: enable
deactivate: disable
enabled: pause enable disable
list: show see find all every overview
get: show see check status detail current
validate: verify test check reachable
offboarding: leave quit fire depart departure resign leaver terminate offboard
onboarding: onboard hire newcomer starter welcome joiner
lockdown: emergency hacked compromised breach incident leaked leak lock attack stolen
rotation: rotate renew roll cycle
undo: revert reverse rollback restore
apply: execute run perform
plan: prepare draft
review: check unused stale idle old older forgotten inspect audit
access: reach
unused: stale idle forgotten nobody
setting: configuration config option posture
pending: outstanding open unaccepted
"""
"""A word of the tools, and what else it is called, a line of them; the same word may begin several lines."""

_COMPOUNDS = (
    "service_account",
    "api_key",
    "spend_limit",
    "spend_alert",
    "rate_limit",
    "data_retention",
    "audit_log",
    "external_key",
    "external_storage",
    "workload_identity",
    "service_tier",
    "hosted_tool",
    "model_permission",
)
"""Things whose name is two words: they fit best together."""


def rewritten(text: str) -> str:
    """Return a query with the phrases in it replaced by what the tools call them."""
    text = text.lower().replace("'s ", " ").strip()
    for pattern, meant in _COMPILED:
        text = pattern.sub(lambda match, meant=meant: f" {meant} {match.groupdict().get('rest') or ''} ", text)  # type: ignore[misc]
    return text


def words(text: str) -> list[str]:
    """Return the words of a text in the form in which they are compared: without endings, in small letters."""
    return [stem(word) for word in re.findall(r"[^\W_]+", text.lower().replace("'s", ""))]


def stem(word: str) -> str:
    """Return a word without its ending, roughly, so that all forms of it come to the same."""
    for ending, least in (("ies", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= least and not word.endswith(("ss", "us", "is")):
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    for ending in ("ation", "ing", "ion", "ed", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:  # noqa: PLR2004 - shorter stems mean nothing
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl" else word  # noqa: PLR2004


def compounds(inside: Sequence[str]) -> list[str]:
    """Return the two-word names among words that follow each other."""
    pairs = ("_".join(pair) for pair in pairwise(inside))
    return [pair for pair in pairs if pair in _TWO_WORDS]


def _same() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in _SAYINGS.strip().splitlines():
        name, _, sayings = line.partition(": ")
        meant = "_".join(words(name))
        for saying in words(sayings):
            if saying != meant:
                found.setdefault(saying, []).append(meant)
    return {saying: tuple(dict.fromkeys(meant)) for saying, meant in found.items()}


_COMPILED = [(re.compile(rf"\b(?:{pattern})\b"), meant) for pattern, meant in _PHRASES.items()]
_TWO_WORDS = frozenset("_".join(words(name)) for name in _COMPOUNDS)
NOISE = frozenset(words(" ".join(_NOISE))) | _NOISE
SAME = _same()
