//! The pages of the book that are made from the program: commands from the command line itself, keys of the configuration
//! from their table. `tests/docs.rs` keeps them current.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::args::Cli;
use super::config::KEYS;

/// `docs/commands.md`: every command with its arguments, as Markdown.
pub fn commands() -> String {
    let mut program = Cli::command();
    program.build();
    let mut page = "# Commands\n\n\
        What `segue` does besides opening its screens. `--help` after any of them says the same. Every command that listens takes the options of \
        `segue` itself; every variable can stand in the environment in place of its option.\n"
        .to_owned();
    section(&mut page, &program, "segue", true);
    page
}

/// One command and those below it.
fn section(page: &mut String, command: &Command, name: &str, outermost: bool) {
    let shown: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version"))
        .filter(|arg| outermost || !arg.is_global_set())
        .collect();
    let below: Vec<&Command> = command
        .get_subcommands()
        .filter(|below| below.get_name() != "help" && !below.is_hide_set())
        .collect();
    let about = command.get_long_about().or(command.get_about()).map(words).unwrap_or_default();
    let _ = write!(page, "\n## `{name}`\n\n{}\n", sentence(&about));
    let positional = shown.iter().filter(|arg| arg.is_positional()).map(|arg| format!(" {arg}"));
    let usage: String = positional.collect();
    if !usage.is_empty() {
        let _ = write!(page, "\n`{name}{usage}`\n");
    }
    if !shown.is_empty() {
        page.push_str("\n| | what |\n|---|---|\n");
        for arg in shown {
            row(page, arg);
        }
    }
    for below in below {
        section(page, below, &format!("{name} {}", below.get_name()), false);
    }
}

/// A row of a table: how an argument is written, and what it means.
fn row(page: &mut String, arg: &Arg) {
    let written = match (arg.get_long(), arg.get_action()) {
        (None, _) => arg.to_string(),
        (Some(long), ArgAction::SetTrue) => format!("--{long}"),
        (Some(long), _) => {
            let values = arg.get_value_names().unwrap_or_default();
            let values: Vec<String> = values.iter().map(|value| format!("<{value}>")).collect();
            format!("--{long} {}", values.join(" ")).trim_end().to_owned()
        }
    };
    let mut what = arg.get_long_help().or(arg.get_help()).map(words).unwrap_or_default();
    let choices: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set() && !matches!(arg.get_action(), ArgAction::SetTrue))
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !choices.is_empty() {
        let _ = write!(what, ": {}", choices.join(", "));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() && !matches!(arg.get_action(), ArgAction::SetTrue) {
        let _ = write!(what, ". Default: `{}`", defaults.join(" "));
    }
    if let Some(variable) = arg.get_env() {
        let _ = write!(what, ". Variable: `{}`", variable.to_string_lossy());
    }
    let _ = writeln!(page, "| `{}` | {} |", written.replace('|', "\\|"), what.replace('|', "\\|"));
}

/// Text without its styles, in one line.
fn words(text: &StyledStr) -> String {
    text.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// With a full stop at its end.
fn sentence(text: &str) -> String {
    let end = if text.is_empty() || text.ends_with(['.', '?', '!', ':']) { "" } else { "." };
    format!("{text}{end}")
}

/// `docs/configuration.md`: every key of the file and its variable, as Markdown.
pub fn configuration() -> String {
    let mut page = "# Configuration\n\n\
        Nothing has to be configured. What is, stands in one file, `~/.config/segue/config.toml` (macOS: `~/Library/Application Support/segue`, \
        Windows: `%APPDATA%\\segue\\config`), and every key of it has an environment variable as well. What is given later wins:\n\n\
        ```text\ndefaults ← config.toml ← SEGUE_… ← command line\n```\n\n\
        A mistake is shown with its line, the default is used, and the program starts. A file that is saved while the player runs is read at \
        once. `g ,` shows every key with its value and where that comes from. Passwords are never in it: see [servers.md](servers.md).\n\n\
        ```toml\nserver = \"https://music.example.org\"\nuser = \"ann\"\nreplaygain = \"album\"\ntheme = \"moss\"\n\n\
        [profiles.work]\nserver = \"https://radio.example.com\"\nuser = \"a.smith\"\nquality = \"opus-128\"\n```\n\n\
        Keys of the keyboard have a file of their own, `keys.toml`, which is laid over the preset ([keys.md](keys.md)); themes of your own lie in \
        `themes/`, each a file with a name. What the program itself changes (`:crossfade`, `:output`, `T` and others) is remembered for later \
        starts, unless the configuration says otherwise. `segue serve` has options in place of a file ([commands.md](commands.md)).\n\n\
        | key | variable | what |\n|---|---|---|\n"
        .to_owned();
    for key in KEYS {
        let help = key.help.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(page, "| `{}` | `{}` | {} |", key.name, key.env, help.replace('|', "\\|"));
    }
    page
}
