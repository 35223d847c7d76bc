//! Where a catalog is kept: a file of this machine, or a database server.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The place of a catalog. Neither `Debug` nor `Display` tells a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file, which SQLite reads and writes.
    File(PathBuf),
    /// A PostgreSQL server: a `postgres://` address.
    Server(Address),
}

/// The address of a database on a server, with what it takes to come in. It is shown without that.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    whole: String,
    /// Copies of it, for reading.
    replicas: Vec<Self>,
}

impl Address {
    /// All of it, for who connects.
    #[cfg(feature = "cloud")]
    pub(super) fn whole(&self) -> &str {
        &self.whole
    }

    /// Copies of it that answer reads.
    #[cfg(feature = "cloud")]
    pub(super) fn replicas(&self) -> &[Self] {
        &self.replicas
    }
}

impl Database {
    /// The same with replicas that reads may go to which need not be of this moment; the error is a sentence.
    pub fn with_replicas(self, replicas: Vec<Self>) -> Result<Self, String> {
        if replicas.is_empty() {
            return Ok(self);
        }
        let Self::Server(server) = self else {
            return Err(
                "a catalog in a file has no replicas; name a PostgreSQL server with --database".to_owned()
            );
        };
        let address = |replica| match replica {
            Self::Server(address) => Ok(address),
            Self::File(file) => {
                Err(format!("{} is a file; a replica is a postgres:// address", file.display()))
            }
        };
        let replicas = replicas.into_iter().map(address).collect::<Result<_, _>>()?;
        Ok(Self::Server(Address { replicas, ..server }))
    }
}

/// Host, port and database; the name of who comes in is nobody's business either.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.whole.split_once("://").unwrap_or(("postgres", &self.whole));
        let plain = rest.split(['?', '#']).next().unwrap_or_default();
        match plain.rsplit_once('@') {
            Some((_, place)) => write!(f, "{scheme}://{place}"),
            // Where a password was written as it is, with marks that end an address, nobody knows where it ends.
            None if rest.contains('@') => write!(f, "{scheme}://…"),
            None => write!(f, "{scheme}://{plain}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Server(address) => write!(f, "{address}"),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Database {
    type Err = String;

    /// Reads a `postgres://` or `sqlite:` address, or the path of a file.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("name a file or a postgres:// address".to_owned());
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return if cfg!(feature = "cloud") {
                Ok(Self::Server(Address { whole: text.to_owned(), replicas: Vec::new() }))
            } else {
                Err("this Segue was built without PostgreSQL; take one that was built with `--features cloud`"
                    .to_owned())
            };
        }
        if let Some(file) = text.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            return match file.split('?').next() {
                Some(file) if !file.is_empty() => Ok(Self::File(file.into())),
                _ => {
                    Err("a sqlite: address names a file, as sqlite:///var/lib/segue/catalog.db does"
                        .to_owned())
                }
            };
        }
        match text.split_once("://") {
            // Not the address itself: what was mistyped may hold a password.
            Some((scheme, _)) => {
                Err(format!("no database is reached by {scheme}://; name postgres:// or a file"))
            }
            None => Ok(Self::File(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_by_path_and_by_address() {
        for text in ["/srv/catalog.db", "sqlite:/srv/catalog.db", "sqlite:///srv/catalog.db?mode=rw"] {
            assert_eq!(text.parse(), Ok(Database::File("/srv/catalog.db".into())), "{text}");
        }
        for wrong in ["", " ", "sqlite:", "sqlite://", "mysql://root:hush@db/segue"] {
            let why = wrong.parse::<Database>().unwrap_err();
            assert!(!why.contains("hush"), "{why}");
        }
    }

    #[cfg(feature = "cloud")]
    #[test]
    fn an_address_is_shown_without_what_opens_it() {
        let text = "postgres://segue:hu%40sh@db.example:5433/music?password=hush2&sslmode=require";
        let database: Database = text.parse().unwrap();
        for shown in [database.to_string(), format!("{database:?}")] {
            assert_eq!(shown, "postgres://db.example:5433/music");
        }
        for careless in [
            "postgres://segue:hu/sh@db/music",
            "postgres://segue:hu?sh@db/music",
            "postgres://segue:hu#sh@db",
        ] {
            let shown = careless.parse::<Database>().unwrap().to_string();
            assert!(!shown.contains("hu") && !shown.contains("sh"), "{shown}");
        }
    }

    #[cfg(feature = "cloud")]
    #[test]
    fn replicas_are_servers_of_a_server() {
        let read = |text: &str| text.parse::<Database>().unwrap();
        let server =
            read("postgres://a/segue").with_replicas(vec![read("postgres://u:hush@b/segue")]).unwrap();
        assert_eq!(server.to_string(), "postgres://a/segue");
        assert_ne!(server, read("postgres://a/segue"));
        assert!(read("/srv/catalog.db").with_replicas(vec![]).is_ok());
        for (of, replica, word) in [
            ("/srv/catalog.db", "postgres://u:hush@b/s", "--database"),
            ("postgres://a/s", "/srv/b.db", "/srv/b.db"),
        ] {
            let why = read(of).with_replicas(vec![read(replica)]).unwrap_err();
            assert!(why.contains(word) && !why.contains("hush"), "{why}");
        }
    }

    #[cfg(not(feature = "cloud"))]
    #[test]
    fn a_server_needs_the_feature() {
        let why = "postgres://segue:hush@db/segue".parse::<Database>().unwrap_err();
        assert!(why.contains("cloud") && !why.contains("hush"), "{why}");
    }
}
