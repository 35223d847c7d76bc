//! The page of keys in `docs/`, made from the table of actions and the presets.

use std::fmt::Write as _;

use super::action::{self, Group};
use super::keymap::{Keymap, Layer, PRESETS};

/// The whole page, in Markdown.
pub fn keys() -> String {
    let mut page = String::from(
        "# Keys\n\nThis page is made from the table of actions (`src/tui/action.rs`) and the presets \
         (`assets/keymap/`); a test keeps it true.\n\nEverything here is also in the palette (`^p`, or a click on \
         “Segue” in the corner), on the `:` line by its name, and in the help (`?`). `^d` is Ctrl and d; keys with a \
         space between them are typed one after the other. A number typed first repeats what is marked with *n*.\n\n\
         Choose a preset with `keymap = \"emacs\"` in `config.toml`. Your own keys go into `keys.toml` beside it, in \
         sections like those of the presets, and are laid over them; `\"x\" = \"null\"` takes a binding away. Both files \
         may be changed while Segue runs; a mistake is shown with its line, and two bindings in each other's way with \
         both places.\n\nWith the mouse: a click selects, a click on what is selected does what Enter does, a right \
         click opens the menu of the row, the wheel moves the cursor; the bar seeks, the volume slides, and what the \
         bottom line names can be clicked.\n",
    );
    let maps: Vec<(&str, Keymap)> =
        PRESETS.iter().map(|(name, text)| (*name, Keymap::read(name, text).0)).collect();
    let mut groups: Vec<Group> = action::table().iter().map(|spec| spec.group).collect();
    groups.dedup();
    let mut seen = Vec::new();
    for group in groups {
        if seen.contains(&group) {
            continue;
        }
        seen.push(group);
        let _ = write!(page, "\n## {}\n\n| action | what it does |", group.title());
        for (name, _) in &maps {
            let _ = write!(page, " {name} |");
        }
        page.push_str("\n|---|---|");
        page.push_str(&"---|".repeat(maps.len()));
        page.push('\n');
        for spec in action::table().iter().filter(|spec| spec.group == group) {
            let hint = spec.takes.hint().replace('|', "\\|");
            let name = if hint.is_empty() { spec.name.to_owned() } else { format!("{} {hint}", spec.name) };
            let counted = if spec.counted { " *n*" } else { "" };
            let _ = write!(page, "| `{name}` | {}{counted} |", spec.about);
            for (_, map) in &maps {
                let _ = write!(page, " {} |", cell(map, spec.name));
            }
            page.push('\n');
        }
    }
    page
}

/// All keys of an action, with the argument that each gives.
fn cell(map: &Keymap, name: &str) -> String {
    let mut keys: Vec<String> = Vec::new();
    for (_, layer) in Layer::NAMES {
        if matches!(layer, Layer::Typing | Layer::Help) {
            continue;
        }
        for binding in map.bindings(layer) {
            let argument = if binding.spec.name == name {
                binding.command.split_once(' ').map(|(_, argument)| argument.to_owned())
            } else if binding.command == format!("command {name}") {
                Some("…".to_owned())
            } else {
                continue;
            };
            let label = binding.label().replace('|', "\\|").replace('`', "\\`");
            keys.push(argument.map_or_else(|| format!("`{label}`"), |a| format!("`{label}` {a}")));
        }
    }
    keys.join(", ")
}
