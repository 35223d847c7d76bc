//! The log of a real server that says everything it can: no secret is in it, whichever way it came.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "program/mod.rs"]
mod program;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use program::{Home, PATIENCE, Process};
use segue::subsonic::auth::{hex, token};
use segue::subsonic::{Client, Credentials};

/// A server whose log is kept.
struct Server {
    process: Process,
    log: Arc<Mutex<String>>,
    base: String,
}

impl Server {
    fn start(home: &Home, data: &str, format: &str, password: &str) -> Self {
        let music = home.path().join("music");
        std::fs::create_dir_all(&music).unwrap();
        let mut child = home
            .command(&["serve", "--music", music.to_str().unwrap(), "--data", data])
            .args(["--listen", "127.0.0.1:0", "--log-format", format])
            .env("SEGUE_LOG", "trace")
            .env("SEGUE_ADMIN_PASSWORD", password)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        for lines in
            [Box::new(BufReader::new(out)) as Box<dyn std::io::BufRead + Send>, Box::new(BufReader::new(err))]
        {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                for line in lines.lines().map_while(Result::ok) {
                    let mut log = log.lock().unwrap();
                    log.push_str(&line);
                    log.push('\n');
                }
            });
        }
        let mut server = Self { process: Process(child), log, base: String::new() };
        let port = server.wait_for(|log| {
            let after = log.split("127.0.0.1:").skip(1);
            after
                .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u16>().ok())
                .find(|port| *port > 0)
        });
        server.base = format!("http://127.0.0.1:{port}");
        server
    }

    fn wait_for<T>(&mut self, found: impl Fn(&str) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = found(&self.log.lock().unwrap()) {
                return found;
            }
            let ended = self.process.0.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "{ended:?}: {}", self.log.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What a command prints.
fn said(home: &Home, args: &[&str]) -> String {
    let said = home.command(args).output().unwrap();
    assert!(said.status.success(), "{args:?}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    const PASSWORD: &str = "Zebra-stripes 77";
    const GUESS: &str = "Wrong-guess 88";
    const LATER: &str = "Later-password 99";
    // Making one of our own clients settles who does TLS; plain ones then find it.
    Client::new("http://127.0.0.1", Credentials::ApiKey("none".into())).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    for format in ["text", "json"] {
        let home = Home::new();
        let data = home.path().join("server").display().to_string();
        let mut server = Server::start(&home, &data, format, PASSWORD);
        let key = said(&home, &["users", "--data", &data, "key", "admin"]);
        let app = said(&home, &["users", "--data", &data, "app-password", "admin"]);
        let (salt, made_up) = ("c19b2dsalt", "segue_0123456789abcdef0123456789abcdef");
        let (right, wrong) = (token(&app, salt), token(GUESS, salt));

        let get = |path: &str, params: &[(&str, &str)]| {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
            http.get(format!("{}/{path}?{query}&v=1.16.1&c=test&f=json", server.base)).send()
        };
        let encoded = format!("enc:{}", hex(PASSWORD.as_bytes()));
        let mut answers = Vec::new();
        for params in [
            vec![("u", "admin"), ("p", PASSWORD)],
            vec![("u", "admin"), ("p", &encoded)],
            vec![("u", "admin"), ("p", GUESS)],
            vec![("u", "admin"), ("p", "enc:zz")],
            vec![("u", "nobody"), ("p", GUESS)],
            vec![("u", "admin"), ("t", &right), ("s", salt)],
            vec![("u", "admin"), ("t", &wrong), ("s", salt)],
            vec![("u", "admin"), ("p", PASSWORD), ("t", &right), ("s", salt)],
            vec![("apiKey", &key)],
            vec![("apiKey", made_up)],
            vec![("u", "admin"), ("apiKey", &key)],
            vec![("apiKey", &key), ("f", "jsonp"), ("callback", "<script>")],
        ] {
            for endpoint in
                ["rest/ping", "rest/getSong.view", "rest/noSuchThing", "elsewhere", "rest/getPodcasts"]
            {
                answers.push(get(endpoint, &params).await.unwrap().text().await.unwrap());
            }
        }
        assert!(answers.iter().filter(|answer| answer.contains("\"ok\"")).count() >= 4, "{answers:?}");
        let changed = [("apiKey", key.as_str()), ("username", "carl"), ("password", LATER)];
        for endpoint in ["createUser", "changePassword", "updateUser"] {
            let answer = get(&format!("rest/{endpoint}"), &changed).await.unwrap().text().await.unwrap();
            assert!(answer.contains("\"ok\""), "{endpoint}: {answer}");
        }
        // Where they do not belong: in a form, in a path, in headers, in a body that is none, and in no HTTP at all.
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("u", "admin"), ("p", PASSWORD)])
            .finish();
        let posted = http.post(format!("{}/rest/ping", server.base));
        posted.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
        let posted = http.post(format!("{}/rest/getTranscodeDecision?apiKey={key}", server.base));
        posted
            .header("content-type", "application/json")
            .body(format!("{{\"p\": \"{key}"))
            .send()
            .await
            .unwrap();
        for path in
            [format!("rest/{key}"), format!("share/{key}"), format!("share/{key}/1"), format!("{key}.php")]
        {
            http.get(format!("{}/{path}", server.base)).send().await.unwrap();
        }
        for header in ["authorization", "x-api-key", "cookie", "referer", "user-agent", "x-forwarded-for"] {
            let request =
                http.get(format!("{}/metrics", server.base)).header(header, format!("Bearer {key}"));
            request.send().await.unwrap();
        }
        let address = server.base.trim_start_matches("http://");
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let nonsense = format!("GET /rest/ping?apiKey={key} HTTP/9\r\n{key}\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut socket, nonsense.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut rest).await;

        // It says what is asked for, so what it does not say is left out on purpose.
        server.wait_for(|log| log.contains("getTranscodeDecision").then_some(()));
        server.process.0.kill().unwrap();
        server.process.0.wait().unwrap();
        let log = server.log.lock().unwrap().clone();
        assert!(
            log.lines().count() > 100 && log.contains("answered") && log.contains("account added"),
            "{log}"
        );
        for secret in [
            PASSWORD, GUESS, LATER, &key, &app, &right, &wrong, salt, made_up, "Zebra", "Wrong-", "Later-",
            &encoded,
        ] {
            for shape in [
                secret.to_owned(),
                secret.to_lowercase(),
                hex(secret.as_bytes()),
                form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
                secret.replace(' ', "%20"),
                format!("{:?}", secret.as_bytes()),
            ] {
                let line = log.lines().find(|line| line.contains(&shape));
                assert!(line.is_none(), "{shape} is in the {format} log: {}", line.unwrap_or_default());
            }
        }
    }
}
