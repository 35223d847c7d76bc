//! Takes out of a line what says who somebody is, where they go, and what lets them in. What is known (names, addresses and
//! passwords of this configuration) goes wherever it stands; what only looks like such a thing goes, too. Rather a word too
//! many than one too few.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::config::Settings;
use super::super::credentials::Kept;
use super::super::paths::Paths;
use crate::music::printable;

/// Names that tell nobody anything.
const COMMON: &[&str] =
    &["segue", "root", "admin", "home", "default", "key", "me", "user", "localhost", "music"];
/// What is in front of a secret or of somebody's name: `password=…`, `apiKey: …`, `?u=…`.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "cookie",
    "salt",
    "p",
    "t",
    "s",
];
const NAMES: &[(&str, &str)] = &[
    ("user", "<user>"),
    ("username", "<user>"),
    ("account", "<user>"),
    ("owner", "<user>"),
    ("u", "<user>"),
    ("server", "<server>"),
    ("host", "<host>"),
    ("hostname", "<host>"),
    ("peer", "<address>"),
    ("addr", "<address>"),
    ("address", "<address>"),
];
/// What follows the dot in names of files, of which a log is full.
const FILES: &[&str] = &[
    "aac", "aif", "aiff", "alac", "ape", "cue", "conf", "db", "desktop", "flac", "gif", "html", "jpeg",
    "jpg", "js", "json", "log", "lrc", "m3u", "mka", "mpc", "oga", "ogg", "old", "opus", "png", "rs",
    "service", "so", "sock", "sqlite", "toml", "txt", "wav", "webp", "wma", "wv", "xml",
];
/// A run of letters and digits from this length on is a key, a hash or an id.
const LONG: usize = 20;

/// What is known of the listener, and how it is written instead.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    /// In lower case, the longest first.
    known: Vec<(String, &'static str)>,
}

impl Redactor {
    /// What this configuration and this machine know.
    pub(super) fn of_this_machine(settings: &Settings, paths: Option<&Paths>) -> Self {
        let mut known = Known::default();
        for name in ["SEGUE_API_KEY", "SEGUE_PASSWORD", "SEGUE_ADMIN_PASSWORD", "SEGUE_SECRET_KEY"] {
            known.add(std::env::var(name).ok(), "<secret>");
        }
        known.add(settings.password_command.clone(), "<secret>");
        known.server(settings.server.as_deref());
        known.name(settings.user.as_deref());
        known.path(settings.music.as_deref(), "<music>");
        for (name, profile) in &settings.profiles {
            known.add((!COMMON.contains(&name.as_str())).then(|| name.clone()), "<profile>");
            known.server(Some(&profile.server));
            known.name(profile.user.as_deref());
            known.add(profile.password_command.clone(), "<secret>");
        }
        for name in ["USER", "LOGNAME", "USERNAME", "SUDO_USER"] {
            known.name(std::env::var(name).ok().as_deref());
        }
        known.host(host_name().as_deref());
        for name in ["HOME", "USERPROFILE"] {
            let home = std::env::var_os(name);
            let home = home.as_deref().map(Path::new);
            known.path(home, "<home>");
            known.name(home.and_then(Path::file_name).and_then(|name| name.to_str()));
        }
        if let Some(paths) = paths {
            for (entry, password) in Kept::new(paths).all() {
                known.add(Some(password), "<secret>");
                let (user, server) = entry.split_once('@').unwrap_or_default();
                known.name(Some(user));
                known.server(Some(server));
            }
            known.path(paths.music.as_deref(), "<music>");
            // Whatever was listened to on this machine has a folder `user@host`.
            let folders = std::fs::read_dir(paths.data.join("profiles")).into_iter().flatten().flatten();
            for name in folders.filter_map(|folder| folder.file_name().into_string().ok()) {
                let (user, host) = name.split_once('@').unwrap_or_default();
                known.name(Some(user));
                known.host(Some(host));
            }
        }
        Self::of(known.0)
    }

    fn of(known: BTreeSet<(String, &'static str)>) -> Self {
        let mut known: Vec<_> = known.into_iter().collect();
        known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Self { known }
    }

    /// The line without any of it.
    pub(super) fn line(&self, line: &str) -> String {
        let mut line = printable(line);
        for (text, instead) in &self.known {
            line = replaced(&line, text, instead);
        }
        let line = fields(&addresses(&line));
        words(&line)
    }
}

#[derive(Default)]
struct Known(BTreeSet<(String, &'static str)>);

impl Known {
    fn add(&mut self, text: Option<String>, instead: &'static str) {
        let text = text.map(|text| text.trim().to_ascii_lowercase()).filter(|text| text.chars().count() > 1);
        self.0.extend(text.map(|text| (text, instead)));
    }

    fn name(&mut self, name: Option<&str>) {
        let name = name.filter(|name| !COMMON.contains(&name.to_lowercase().as_str()));
        self.add(name.map(str::to_owned), "<user>");
    }

    fn host(&mut self, host: Option<&str>) {
        let host = host.filter(|host| !COMMON.contains(&host.to_lowercase().as_str()));
        self.add(host.map(str::to_owned), "<host>");
        // The first part alone is what people call the machine.
        let first = host
            .and_then(|host| host.split('.').next())
            .filter(|first| !first.bytes().all(|b| b.is_ascii_digit()));
        self.add(first.filter(|first| !COMMON.contains(first)).map(str::to_owned), "<host>");
    }

    fn server(&mut self, url: Option<&str>) {
        let Some(url) = url else { return };
        self.add(Some(url.to_owned()), "<server>");
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        let (login, place) = authority.rsplit_once('@').map_or((None, authority), |(l, p)| (Some(l), p));
        let mut login = login.unwrap_or_default().splitn(2, ':');
        self.name(login.next());
        self.add(login.next().map(str::to_owned), "<secret>");
        self.add(Some(place.to_owned()), "<server>");
        self.host(place.rsplit_once(':').map_or(Some(place), |(host, _)| Some(host)));
    }

    fn path(&mut self, path: Option<&Path>, instead: &'static str) {
        let path = path.and_then(Path::to_str).map(|path| path.trim_end_matches(['/', '\\']));
        self.add(path.filter(|path| path.len() > 1).map(str::to_owned), instead);
    }
}

fn host_name() -> Option<String> {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let asked = || {
        let output = std::process::Command::new("hostname").output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    read.or_else(asked).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Every place where `text` (in lower case) stands for itself, in whatever case, written as `instead`.
fn replaced(line: &str, text: &str, instead: &str) -> String {
    let lower: String = line.chars().map(|c| c.to_ascii_lowercase()).collect();
    let text = text.to_ascii_lowercase();
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut out, mut done) = (String::with_capacity(line.len()), 0);
    for (at, _) in lower.match_indices(&text) {
        let end = at + text.len();
        // "ann" is not in "planned"; a secret of other characters is one wherever it stands.
        let joined = inside(lower[..at].chars().next_back()) && inside(text.chars().next())
            || inside(lower[end..].chars().next()) && inside(text.chars().next_back());
        if at < done || (joined && instead != "<secret>") {
            continue;
        }
        out.push_str(&line[done..at]);
        out.push_str(instead);
        done = end;
    }
    out.push_str(&line[done..]);
    out
}

fn ends_an_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '”' | '“' | '`' | ')' | '(' | ']' | ',' | ';')
}

/// `scheme://…` keeps its scheme; a file's address is a path and stays.
fn addresses(line: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        let end = after.find(ends_an_address).unwrap_or(after.len());
        out.push_str(before);
        if before.ends_with("file://") {
            out.push_str(&after[..end]);
        } else {
            out.push_str("<server>");
        }
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

/// `name=value` and `name: value` whose name says that the value is nobody's business.
fn fields(line: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = rest.find(['=', ':']) {
        let sign = &rest[at..=at];
        let name = rest[..at].trim_end_matches(['"', '\'', ' ']);
        let from = name
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .map_or(0, |i| i + name[i..].chars().next().map_or(1, char::len_utf8));
        let name = name[from..].to_ascii_lowercase();
        let instead = if SECRETS.contains(&name.as_str()) && (name.len() > 1 || sign == "=") {
            Some("<secret>")
        } else if sign == "=" && name == "title" {
            Some("<title>")
        } else {
            NAMES.iter().find(|(known, _)| sign == "=" && *known == name).map(|(_, instead)| *instead)
        };
        let (head, after) = rest.split_at(at + 1);
        out.push_str(head);
        rest = after;
        let Some(instead) = instead else { continue };
        let value = after.trim_start_matches([' ', '"', '\'']);
        out.push_str(&after[..after.len() - value.len()]);
        out.push_str(instead);
        rest = &value[value_ends(value, instead)..];
    }
    out.push_str(rest);
    out
}

/// Where a value ends: before the next field, since titles and cookies have spaces in them; a name at its first space.
fn value_ends(value: &str, instead: &str) -> usize {
    let next_field = || {
        let mut gaps = value.match_indices(' ').map(|(at, _)| at);
        gaps.find(|at| {
            let word = value[at + 1..].split_whitespace().next().unwrap_or_default();
            let name = word.split('=').next().unwrap_or_default();
            word.contains('=')
                && !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    match instead {
        "<title>" | "<secret>" => {
            let parameter = value.find('&').filter(|_| instead == "<secret>");
            parameter.or_else(next_field).unwrap_or(value.len())
        }
        _ => value.find(|c: char| ends_an_address(c) || c == '&').unwrap_or(value.len()),
    }
}

/// Words that look like an address, a mailbox, somebody's home, or a key.
fn words(line: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while !rest.is_empty() {
        let gap = rest.find(|c: char| !ends_an_address(c)).unwrap_or(rest.len());
        out.push_str(&rest[..gap]);
        rest = &rest[gap..];
        let end = rest.find(ends_an_address).unwrap_or(rest.len());
        out.push_str(&word(&rest[..end]));
        rest = &rest[end..];
    }
    out
}

fn word(word: &str) -> String {
    // A moment has digits and dashes like a key, and is none.
    if word.parse::<jiff::Timestamp>().is_ok() {
        return word.to_owned();
    }
    let (head, tail) = word.split_at(word.rfind(['=', '[']).map_or(0, |at| at + 1));
    let bare = tail.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != ':');
    if (tail.contains('@') && !tail.starts_with('@')) || is_address(bare) || is_domain(bare) {
        return format!("{head}<address>");
    }
    for home in ["/home/", "/Users/", "\\Users\\"] {
        if let Some((before, after)) = word.split_once(home) {
            let end = after.find(['/', '\\']).unwrap_or(after.len());
            return format!("{before}{home}<user>{}", &after[end..]);
        }
    }
    keys(word)
}

/// An IP address, with or without a port or a zone.
fn is_address(text: &str) -> bool {
    let text = text.trim_end_matches([':', '.']);
    let plain = text.split('%').next().unwrap_or_default();
    text.parse::<std::net::SocketAddr>().is_ok() || plain.parse::<std::net::IpAddr>().is_ok()
}

/// The name of a machine on the network, with or without a port; not the name of a file or of a service on a bus.
fn is_domain(text: &str) -> bool {
    let text = text.trim_end_matches([':', '.']);
    let name = match text.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => text,
    };
    let label = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let Some((rest, last)) = name.rsplit_once('.') else { return false };
    rest.split('.').all(label)
        && last.len() > 1
        && last.chars().all(|c| c.is_ascii_alphabetic())
        && !FILES.contains(&last.to_ascii_lowercase().as_str())
        && !name.starts_with("org.freedesktop.")
        && !name.starts_with("org.mpris.")
}

/// Runs of letters and digits that are too long to be a word are keys, hashes or ids.
fn keys(word: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+');
    let (mut out, mut rest) = (String::with_capacity(word.len()), word);
    while !rest.is_empty() {
        let gap = rest.find(part).unwrap_or(rest.len());
        out.push_str(&rest[..gap]);
        rest = &rest[gap..];
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let run = &rest[..end];
        let digits = run.bytes().any(|b| b.is_ascii_digit());
        let letters = run.bytes().any(|b| b.is_ascii_alphabetic());
        out.push_str(if run.len() >= LONG && digits && letters { "<long>" } else { run });
        rest = &rest[end..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let mut known = Known::default();
        known.server(Some("https://ann:hunter2@music.example.org:4533/sub"));
        known.name(Some("Ann"));
        known.add(Some("p+ss w0rd".to_owned()), "<secret>");
        known.host(Some("annbook.local"));
        known.path(Some(Path::new("/home/ann/")), "<home>");
        known.name(Some("root"));
        Redactor::of(known.0)
    }

    #[test]
    fn what_is_known_goes_wherever_it_stands() {
        for (line, without) in [
            ("cannot reach https://music.example.org:4533/sub/rest/ping", "cannot reach https://<server>"),
            ("music.example.org does not answer", "<host> does not answer"),
            ("ANN planned it for annbook", "<user> planned it for <host>"),
            ("it is p+ss w0rd!", "it is <secret>!"),
            ("/home/ann/Music/x.flac", "<home>/Music/x.flac"),
            ("root may", "root may"),
        ] {
            assert_eq!(redactor().line(line), without, "{line}");
        }
    }

    #[test]
    fn what_looks_like_it_goes_too() {
        for (line, without) in [
            (
                "GET /rest/ping?u=bob&p=enc:6f&t=abc&s=de HTTP",
                "GET /rest/ping?u=<user>&p=<secret>&t=<secret>&s=<secret>",
            ),
            ("connected server=other.example.net kind=navidrome", "connected server=<server> kind=navidrome"),
            ("authorization: Bearer abc.def", "authorization: <secret>"),
            ("began track=tr-1 title=First Light", "began track=tr-1 title=<title>"),
            ("began title=First Light track=tr-1", "began title=<title> track=tr-1"),
            ("peer 192.168.1.20:4533 left", "peer <address> left"),
            ("from [2001:db8::1]:80, and fe80::1", "from [<address>, and <address>"),
            ("bob@example.org wrote", "<address> wrote"),
            ("dns error for music.elsewhere.net:443", "dns error for <address>"),
            ("fe80::1%eth0: refused", "<address> refused"),
            ("cannot read /home/bob/x.flac", "cannot read /home/<user>/x.flac"),
            ("C:\\Users\\bob\\Music", "C:\\Users\\<user>\\Music"),
            ("key 0123456789abcdef0123456789abcdef", "key <long>"),
        ] {
            let out = redactor().line(line);
            for secret in ["bob", "enc:6f", "abc", ".net", "First", "192.168", "2001", "fe80", "0123"] {
                assert!(!out.contains(secret), "{line} → {out}");
            }
            if !line.contains('[') && !line.ends_with("HTTP") {
                assert_eq!(out, without, "{line}");
            }
        }
    }

    #[test]
    fn what_tells_nobody_anything_stays() {
        for line in [
            "2026-11-26T15:11:44.123456Z  INFO segue::cli::desktop::bus: on the session bus",
            "WARN segue::audio: the sound device ran dry times=3 in_all=12",
            "ok    sound          “default” opens at 48000 Hz.",
            "volume: 80 (default)",
            "cannot read keys.toml: org.mpris.MediaPlayer2.segue is in config.toml:3",
            "kernel 6.12.43+deb13-amd64",
            "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"",
        ] {
            assert_eq!(redactor().line(line), line);
        }
    }

    #[test]
    fn any_line_is_taken() {
        for line in ["", "=", "=:=:", "://", "a=://ü", "p=", "title=", "ü=ü:ü", "@", "a@", "%&=&p=&t"] {
            let _ = redactor().line(line);
        }
    }
}
