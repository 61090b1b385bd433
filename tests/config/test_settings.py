"""The settings: where they come from, what outranks what, and what is said of mistakes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.settings import Settings, SettingsError, load_settings, settings_table

ROOT = Path(__file__).parents[2]
CANARY = "canary-5f1c9a"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "duban.yaml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def problems() -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return caught.value.problems


def test_without_any_file_or_variable_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.database == "sqlite:///duban.sqlite"
    assert (settings.smtp_tls, settings.smtp_port) == ("starttls", 587)
    assert settings.smtp_password is None


def test_the_file_outranks_the_defaults() -> None:
    write("smtp_host: mail.edu.example\ntick_seconds: 5\nsmtp_connections: 2\nbatch_size: 4\n")
    settings = load_settings()
    assert (settings.smtp_host, settings.tick_seconds) == ("mail.edu.example", 5.0)


def test_a_variable_outranks_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("smtp_host: file.edu.example\nlog_format: json\n")
    monkeypatch.setenv("DUBAN_SMTP_HOST", "variable.edu.example")
    settings = load_settings()
    assert (settings.smtp_host, settings.log_format) == ("variable.edu.example", "json")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    write("smtp_host: file.edu.example\n")
    monkeypatch.setenv("DUBAN_SMTP_HOST", "")
    assert load_settings().smtp_host == "file.edu.example"


def test_an_empty_value_in_the_file_leaves_the_default() -> None:
    write("smtp_host:\nlog_level: ~\nsmtp_password_file:\n")
    assert load_settings().log_level == "info"


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_file_leaves_the_defaults(text: str) -> None:
    write(text)
    assert load_settings() == Settings()


def test_the_file_may_be_named_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    write("smtp_host: other.edu.example\n", "other.yaml")
    monkeypatch.setenv("DUBAN_CONFIG", "other.yaml")
    assert load_settings().smtp_host == "other.edu.example"


def test_a_named_file_that_is_missing_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBAN_CONFIG", "/nowhere/duban.yaml")
    assert problems() == ("DUBAN_CONFIG: there is no file '/nowhere/duban.yaml'",)


def test_a_folder_in_the_place_of_the_file_is_a_mistake() -> None:
    Path("duban.yaml").mkdir()
    assert problems() == ("duban.yaml: cannot be read (Is a directory)",)


def test_an_unknown_variable_is_a_mistake_with_a_suggestion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUBAN_SMPT_HOST", "mail.edu.example")
    expected = "DUBAN_SMPT_HOST: there is no such setting (did you mean 'DUBAN_SMTP_HOST'?)"
    assert problems() == (expected,)


def test_an_unknown_key_is_a_mistake_with_its_place_and_a_suggestion() -> None:
    write("log_level: info\nsmpt_host: mail.edu.example\n")
    assert problems() == (
        "duban.yaml:2:1: there is no setting 'smpt_host' (did you mean 'smtp_host'?)",
    )


def test_all_mistakes_are_told_at_once_each_where_it_was_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUBAN_TICK_SECOND", "5")
    monkeypatch.setenv("DUBAN_SMTP_PORT", "many")
    write("smtp_tls: tls\nlog_levle: info\nsmtp_connections: 0\n")
    found = problems()
    assert [line.split(": ")[0] for line in found] == [
        "DUBAN_TICK_SECOND",
        "duban.yaml:2:1",
        "duban.yaml:1:1",
        "DUBAN_SMTP_PORT",
        "duban.yaml:3:1",
    ]
    assert found[2] == "duban.yaml:1:1: smtp_tls must be 'none', 'starttls' or 'implicit'"


@pytest.mark.parametrize("text", ["- smtp_host\n", "smtp_host\n"])
def test_a_file_that_is_no_mapping_is_a_mistake(text: str) -> None:
    write(text)
    assert problems() == ("duban.yaml:1:1: must be lines like 'smtp_host: mail.edu.example'",)


@pytest.mark.parametrize("slip", ["smtp_host: [", "log_level: debug", "\tsmtp_host: x"])
def test_a_slip_in_the_file_is_told_with_its_line(slip: str) -> None:
    write(f"log_level: info\n{slip}\n")
    assert problems()[0].startswith("duban.yaml:2:")


def test_f33_a_file_in_utf_16_is_named_as_such() -> None:
    Path("duban.yaml").write_text("smtp_host: mail.edu.example\n", encoding="utf-16")
    assert problems() == ("duban.yaml:1:1: the file is in UTF-16; save it as UTF-8",)


def test_f33_a_file_in_gb18030_is_read() -> None:
    Path("duban.yaml").write_text("mail_from_name: 局办公室\n", encoding="gb18030")
    assert load_settings().mail_from_name == "局办公室"


@pytest.mark.parametrize(
    ("tls", "port"), [("none", 25), ("starttls", 587), ("implicit", 465), ("IMPLICIT", 465)]
)
def test_the_port_follows_the_encryption(tls: str, port: int) -> None:
    write(f"smtp_tls: {tls}\n")
    assert load_settings().smtp_port == port


def test_a_given_port_stays() -> None:
    write("smtp_tls: implicit\nsmtp_port: 4650\n")
    assert load_settings().smtp_port == 4650


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_f09_plain_smtp_to_this_machine_is_allowed(host: str) -> None:
    write(f"smtp_tls: none\nsmtp_host: '{host}'\n")
    assert load_settings().smtp_tls == "none"


@pytest.mark.parametrize("host", ["mail.edu.example", "10.0.0.1"])
def test_f09_plain_smtp_to_another_machine_is_refused(host: str) -> None:
    write(f"smtp_tls: none\nsmtp_host: {host}\n")
    assert problems()[0].startswith("smtp_tls: 'none' lets anybody on the way read")


def test_f09_plain_smtp_to_another_machine_may_be_meant() -> None:
    write("smtp_tls: none\nsmtp_host: mail.edu.example\nsmtp_allow_plain: true\n")
    assert load_settings().smtp_allow_plain


@pytest.mark.parametrize("line", ["smtp_username: duban", f"smtp_password: {CANARY}"])
def test_a_user_name_and_a_password_go_together_where_letters_are_sent(line: str) -> None:
    write(f"smtp_host: mail.edu.example\nmail_from: duban@edu.example\n{line}\n")
    with pytest.raises(SettingsError, match="give both or none"):
        load_settings().check_can_send()


def test_f07_a_lease_must_outlast_the_sending_of_a_letter_by_far() -> None:
    write("smtp_timeout_seconds: 60\nclaim_lease_seconds: 119\n")
    assert problems()[0].startswith("claim_lease_seconds: must be at least 120")


def test_a_database_of_an_unknown_kind_is_a_mistake() -> None:
    write("database: mysql://duban@db.example/duban\n")
    assert problems()[0].startswith("duban.yaml:1:1: database must be like sqlite:///duban.sqlite")


def test_a_mistake_in_a_secrets_file_is_told_by_who_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("database: sqlite:///duban.sqlite\n")
    monkeypatch.setenv("DUBAN_DATABASE_FILE", str(write("mysql://db.example", "database")))
    assert problems()[0].startswith("DUBAN_DATABASE_FILE: database must be like")


def test_a_folder_of_templates_must_be_there() -> None:
    write("templates: letters\n")
    assert problems() == ("duban.yaml:1:1: templates there is no such file or folder",)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().batch_size = 3  # type: ignore[misc]


def test_letters_need_a_server_and_a_sender() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings().check_can_send()
    assert [line.split(" ")[1] for line in caught.value.problems] == ["smtp_host", "mail_from"]


def test_an_outbox_needs_no_server() -> None:
    write("outbox: letters\nmail_from: duban@qzedu.example\n")
    load_settings().check_can_send()


def secret(settings: Settings) -> str | None:
    return settings.smtp_password.get_secret_value() if settings.smtp_password else None


def test_the_password_comes_from_the_file_that_the_variable_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("smtp_username: duban\nsmtp_password: from the settings\n")
    monkeypatch.setenv("DUBAN_SMTP_PASSWORD_FILE", str(write(f"{CANARY}\n", "password")))
    assert secret(load_settings()) == CANARY


def test_the_password_comes_from_the_file_that_the_settings_name() -> None:
    write(f"{CANARY}\n", "password")
    write("smtp_username: duban\nsmtp_password_file: password\n")
    assert secret(load_settings()) == CANARY


def test_the_password_comes_from_systemds_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    write(CANARY, "duban_smtp_password")
    write("smtp_username: duban\n")
    assert secret(load_settings()) == CANARY


def test_credentials_of_others_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    write(CANARY, "backup_password")
    assert secret(load_settings()) is None


def test_the_address_of_the_database_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://duban:{CANARY}@db.example/duban"
    monkeypatch.setenv("DUBAN_DATABASE_FILE", str(write(f"{url}\n", "database")))
    settings = load_settings()
    assert settings.database == url
    assert CANARY not in repr(settings)


def test_a_password_given_twice_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBAN_SMTP_PASSWORD", CANARY)
    monkeypatch.setenv("DUBAN_SMTP_PASSWORD_FILE", "password")
    monkeypatch.setenv("DUBAN_SMTP_USERNAME", "duban")
    write(f"smtp_password: {CANARY}\nsmtp_password_file: password\n")
    assert problems() == (
        "duban.yaml:2:1: give smtp_password or smtp_password_file, not both",
        "DUBAN_SMTP_PASSWORD_FILE: DUBAN_SMTP_PASSWORD is set as well; set one of the two",
    )


def test_f38_a_password_in_the_place_of_its_file_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUBAN_SMTP_PASSWORD_FILE", CANARY)
    expected = "the file that it names cannot be read (No such file or directory)"
    assert problems() == (f"DUBAN_SMTP_PASSWORD_FILE: {expected}",)


def test_f38_a_password_file_that_is_not_text_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("password").write_bytes(CANARY.encode() + b"\xff")
    monkeypatch.setenv("DUBAN_SMTP_PASSWORD_FILE", "password")
    expected = "the file that it names cannot be read (it is not UTF-8 text)"
    assert problems() == (f"DUBAN_SMTP_PASSWORD_FILE: {expected}",)


def test_f38_settings_never_show_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBAN_SMTP_USERNAME", "duban")
    monkeypatch.setenv("DUBAN_SMTP_PASSWORD", CANARY)
    monkeypatch.setenv("DUBAN_DATABASE", f"postgresql://duban:{CANARY}@db.example/duban")
    settings = load_settings()
    assert secret(settings) == CANARY
    assert CANARY not in repr(settings) + str(settings)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_f38_no_mistake_tells_the_value_given_in_a_variable(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"DUBAN_{name.upper()}", f"{CANARY}\n[")
    try:
        load_settings()
    except SettingsError as error:
        assert CANARY not in f"{error!r}{error}{error.__cause__}{error.__context__}"  # noqa: PT017


@given(
    st.sampled_from(sorted(Settings.model_fields)),
    st.text("\n\t :：'\"[]{}#-,&*!|>%@“”", max_size=9),
)
@example("smtp_password", "：")
@example("smtp_password", "*")
@example("smtp_password", "!")
@example("smtp_password", ": [")
def test_f38_no_slip_in_the_file_tells_a_value(name: str, slip: str) -> None:
    for text in (f"{name}{slip}{CANARY}", f"{name}: {CANARY}{slip}", f"{name}: {slip}{CANARY}\n"):
        write(text)
        try:
            shown = repr(load_settings().smtp_password)
        except SettingsError as error:
            shown = str(error)
        assert CANARY not in shown, text


def test_the_shipped_example_is_valid_with_every_line_of_it_in_force(tmp_path: Path) -> None:
    example_text = (ROOT / "deploy/duban.yaml").read_text(encoding="utf-8")
    in_force = re.sub(r"^#(?=[a-z_]+:)", "", example_text, flags=re.MULTILINE)
    names = ("templates", "ca.pem", "password", "keys", "metrics_token", "imap_password")
    for name in names:
        (tmp_path / name).write_text(f"{CANARY}-long", encoding="utf-8")
    file = rf"/[a-z/-]*/({'|'.join(map(re.escape, names))})$"
    write(re.sub(file, r"\1", in_force, flags=re.MULTILINE))
    load_settings().check_can_send()
    named = set(re.findall(r"^([a-z_]+):", in_force, flags=re.MULTILINE))
    named |= {name.removesuffix("_file") for name in named}
    assert named >= set(Settings.model_fields) - {"outbox"}


def test_every_setting_has_its_row_in_the_table() -> None:
    rows = settings_table().splitlines()
    assert len(rows) == len(Settings.model_fields) + 2
    assert rows[2] == (
        "| `database` | `DUBAN_DATABASE` | `sqlite:///duban.sqlite` "
        "| address of the ledger's database |"
    )


@pytest.mark.parametrize(("name", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_readme_holds_the_present_table(name: str, language: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    table = settings_table("zh" if language == "zh" else "en")
    assert table in text, f"put this into {name}:\n{table}"


@pytest.mark.parametrize("host", ["imap.edu.example", "192.0.2.7"])
def test_a_mailbox_is_not_read_in_clear_from_another_machine(host: str) -> None:
    write(f"imap_host: {host}\nimap_tls: none\n")
    with pytest.raises(SettingsError, match="imap_allow_plain"):
        load_settings()
    write(f"imap_host: {host}\nimap_tls: none\nimap_allow_plain: true\n")
    assert load_settings().imap_port == 143


def test_a_mailbox_needs_a_user_and_a_password() -> None:
    write("imap_host: imap.edu.example\nimap_username: office\n")
    with pytest.raises(SettingsError, match="imap_password"):
        load_settings().check_can_read()
    write("secret", "code")
    write("imap_host: imap.edu.example\nimap_username: office\nimap_password_file: code\n")
    load_settings().check_can_read()
    assert load_settings().imap_port == 993
