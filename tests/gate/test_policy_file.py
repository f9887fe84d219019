"""The policy file: what it says, and where it is wrong."""

from pathlib import Path

import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.schema import META_EFFECT
from admin_mcp.errors import SettingsError
from admin_mcp.gate.effects import possible_effects
from admin_mcp.gate.policy import CHANGES, READS, Guardrails, Policy
from admin_mcp.gate.policy_file import PolicyFile, read_policy_file, risky_allowances, sample_policy
from tests.platforms import needs_file_modes

EFFECTS = {tool["name"]: tool["_meta"][META_EFFECT] for tool in compiled_catalog().tools}
POSSIBLE = {tool["name"]: possible_effects(tool) for tool in compiled_catalog().tools}
SAMPLE = Path(__file__).parents[2] / "config" / "policy.toml"


def read(tmp_path: Path, text: str) -> PolicyFile:
    path = tmp_path / "policy.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return read_policy_file(path, EFFECTS)


def test_a_rule_says_all_it_can(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        '[[rules]]\nname = "n"\ndecision = "confirm"\ntools = ["delete_*", "list_roles"]\neffects = ["destroy"]\n'
        'project_ids = ["proj_1"]\nchannel = "local"\n[guardrails]\nown_key = false\n',
    )
    (rule,) = file.rules
    assert rule.name == "n (policy.toml line 1)"
    assert (rule.decision, rule.tools, rule.channel) == ("confirm", ("delete_*", "list_roles"), "local")
    assert rule.effects == frozenset(["destroy"])
    assert rule.project_ids == frozenset(["proj_1"])
    assert file.guardrails == Guardrails(last_owner=True, own_key=False)


def test_what_a_rule_leaves_out_matches_everything(tmp_path: Path) -> None:
    file = read(tmp_path, '\n[[rules]]\ndecision = "deny"\n')
    (rule,) = file.rules
    assert rule.name == "rule 1 (policy.toml line 2)"
    assert (rule.tools, rule.effects, rule.project_ids, rule.channel) == (("*",), READS | CHANGES, None, None)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_rule_may_demand_a_reason(tmp_path: Path, *, wanted: bool) -> None:
    text = f'[[rules]]\ndecision = "confirm"\neffects = ["read", "grant"]\nreason = {str(wanted).lower()}\n'
    (rule,) = read(tmp_path, text).rules
    assert rule.verdict.reason is rule.verdict.demanding is wanted


def test_a_webhook_says_all_it_can(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        '\n[[notify]]\nurl = "https://h.example/x?y=1"\nsecret_env = "N"\non = ["question"]\neffects = ["grant"]\n'
        '[[notify]]\nurl = "http://127.0.0.1:8000/x"\nsecret_env = "N"\n',
    )
    first, second = file.webhooks
    assert (first.url, first.host, first.place) == ("https://h.example/x?y=1", "h.example", "policy.toml line 2")
    assert (first.on, first.effects) == (frozenset(["question"]), frozenset(["grant"]))
    assert (second.on, second.effects) == (frozenset(["question", "decision", "outcome"]), None)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "# nothing\n") == PolicyFile((), Guardrails())


def test_the_sample_people_find_is_the_one_the_package_has() -> None:
    assert SAMPLE.read_text("utf-8") == sample_policy(), "run `make catalog`"


def test_the_sample_is_a_policy_as_it_stands(tmp_path: Path) -> None:
    file = read(tmp_path, sample_policy())
    assert [(rule.decision, rule.channel) for rule in file.rules] == [("deny", None), ("confirm", "local")]
    assert file.guardrails == Guardrails()
    assert risky_allowances(file.rules, POSSIBLE) == {}


def test_the_sample_asks_past_the_host_for_all_that_destroys_or_grants_and_refuses_admin_keys(tmp_path: Path) -> None:
    policy = Policy.standard(read_only=False, rules=read(tmp_path, sample_policy()).rules)
    for effect in ("destroy", "grant"):
        verdict = policy.decide("any_tool", frozenset({effect}), ())
        assert (verdict.decision, verdict.channel) == ("confirm", "local")
    assert policy.decide("create_admin_api_key", frozenset({"grant"}), ()).decision == "deny"
    assert policy.decide("update_role", frozenset({"update"}), ()).channel is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[rules]]\ndecision = "perhaps"\n', "line 2: decision: Input should be 'allow', 'confirm' or 'deny'"),
        ('[[rules]]\nname = "x"\n', "line 1: decision: is missing"),
        ('[[rules]]\ndecision = "deny"\ntool = ["x"]\n', "line 3: tool: no such key; the keys here are decision, name"),
        ('[[rules]]\ndecision = "deny"\n\n[[rules]]\ndecision = "deny"\nx = 1\n', "line 6: x: no such key"),
        ('[[rules]]\ndecision = "deny"\ntools = ["delet_role"]\n', "line 3: tools: no tool fits 'delet_role'; did you"),
        ('[[rules]]\ndecision = "deny"\ntools = ["nothing_*"]\n', "line 3: tools: no tool fits 'nothing_*'"),
        ('[[rules]]\ndecision = "deny"\ntools = []\n', "line 3: tools: List should have at least 1 item"),
        ('[[rules]]\ndecision = "deny"\ntools = "delete_role"\n', "line 3: tools: Input should be a valid list"),
        ('[[rules]]\ndecision = "deny"\neffects = ["change"]\n', "line 3: effects: Input should be 'read'"),
        (
            '[[rules]]\ndecision = "allow"\nchannel = "local"\n',
            'line 3: channel: only a rule with decision = "confirm"',
        ),
        ('[[rules]]\ndecision = "confirm"\nchannel = "two-step"\n', "line 3: channel: Input should be 'elicit'"),
        ('[[rules]]\ndecision = "allow"\nreason = true\n', 'line 3: reason: only a rule with decision = "confirm"'),
        ('[[rules]]\nreason = true\ndecision = "deny"\n', 'line 2: reason: only a rule with decision = "confirm"'),
        ('[[rules]]\ndecision = "confirm"\nreason = "why"\n', "line 3: reason: Input should be a valid boolean"),
        (
            '[[rules]]\ndecision = "confirm"\neffects = ["read"]\nreason = true\n',
            "line 4: reason: the rule is about reads alone",
        ),
        (
            '[[rules]]\ndecision = "confirm"\ntools = ["list_*"]\nreason = true\n',
            "line 4: reason: the rule is about reads alone",
        ),
        (
            "[guardrails]\nlast_owners = true\n",
            "line 2: last_owners: no such key; the keys here are last_owner, own_key",
        ),
        ('[guardrails]\nlast_owner = "no"\n', "line 2: last_owner: Input should be a valid boolean"),
        ('[[notify]]\nurl = "https://h.example/x"\n', "line 1: secret_env: is missing"),
        (
            '[[notify]]\nurl = "http://h.example/s3cret"\nsecret_env = "N"\n',
            "line 2: url: plain http is only for loopback addresses; use https://",
        ),
        ('[[notify]]\nurl = "ftp://h.example"\nsecret_env = "N"\n', "line 2: url: must be an https:// URL"),
        ('[[notify]]\nurl = "https://a:b@h.example"\nsecret_env = "N"\n', "line 2: url: must have no user"),
        ('[[notify]]\nurl = "https://h.example:x/"\nsecret_env = "N"\n', "line 2: url: is no URL"),
        ('[[notify]]\nurl = "https://h.example"\nsecret_env = "a b"\n', "line 3: secret_env: must be the name of"),
        (
            '[[notify]]\nurl = "https://h.example"\nsecret_env = "OPENAI_ADMIN_KEY"\n',
            "line 3: secret_env: is the admin key's",
        ),
        (
            '\n\n[[notify]]\nurl = "https://h.example"\nsecret_env = "N"\n[[notify]]\non = ["asked"]\n',
            "line 7: on: Input should be 'question', 'decision' or 'outcome'",
        ),
        (
            '[[notify]]\nurl = "https://h.example"\nsecret_env = "N"\nrisk = ["grant"]\n',
            "line 4: risk: no such key; the keys here are url, secret_env, on, effects",
        ),
        ("[rule]\n", "line 1: rule: no such key; the keys here are rules, guardrails, notify"),
        (
            '[[rules]]\ndecision = "deny"\nproject_ids = ["proj_1", "Billing"]\n',
            "line 3: project_ids: 'Billing' is no project's id",
        ),
        (
            '[[rules]]\ndecision = "deny"\nproject_ids = ["proj_*"]\n',
            "line 3: project_ids: 'proj_*' is no project's id",
        ),
        ('[[rules]]\ndecision = "deny"\nproject_ids = ["proj_"]\n', "line 3: project_ids: 'proj_' is no project's id"),
        (
            '[[rules]]\nproject_ids = [\n"proj_a b"]\ndecision = "deny"\n',
            "line 2: project_ids: 'proj_a b' is no project's id",
        ),
        ("rules = 1\n", "line 1: rules: Input should be a valid list"),
        ('[[rules]]\ndecision = "deny\n', "not TOML: Illegal character '\\n' (at line 2"),
    ],
)
def test_a_wrong_file_is_one_error_with_line_and_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
    assert str(tmp_path / "policy.toml") in str(caught.value)


def test_a_file_that_is_missing_or_no_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read: No such file"):
        read_policy_file(tmp_path / "none.toml", EFFECTS)
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_policy_file(tmp_path / "latin.toml", EFFECTS)


@needs_file_modes
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("", "utf-8")
    path.chmod(mode)
    with pytest.raises(SettingsError, match="chmod go-w"):
        read_policy_file(path, EFFECTS)


def test_rules_that_let_risky_changes_pass_are_found(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        '[[rules]]\nname = "a"\ndecision = "allow"\ntools = ["delete_role", "update_role"]\n'
        '[[rules]]\nname = "b"\ndecision = "allow"\neffects = ["read", "update"]\n'
        '[[rules]]\nname = "c"\ndecision = "confirm"\n',
    )
    assert risky_allowances(file.rules, POSSIBLE) == {"a (policy.toml line 1)": ["update_role", "delete_role"]}


def test_a_mark_at_the_beginning_and_any_line_ends_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes('\ufeff[[rules]]\r\ndecision = "deny"\r\ntools = ["delete_*"]\r\n'.encode())
    path.chmod(0o600)
    assert [rule.decision for rule in read_policy_file(path, EFFECTS).rules] == ["deny"]


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 100_000, "a = " + "9" * 5000, "a." * 5000 + "b = 1", "rules = " + "{a=" * 5000, "a = 9e999\n\x00"],
)
def test_a_text_that_the_parser_gives_up_on_is_told_as_such(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"policy\.toml"):
        read(tmp_path, text)
