//! The template for Azure: its expressions are worked out as far as that goes without Azure, so that every name in them must be
//! there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Segue, json};

const NAME: &str = "azure/main.json";

/// What an expression is worked out with.
struct Template(Value);

/// A part of an expression that is left.
struct Rest<'a>(&'a str);

impl Template {
    /// A value with all expressions in it worked out.
    fn whole(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if text.starts_with('[') && text.ends_with(']') => {
                let mut rest = Rest(&text[1..text.len() - 1]);
                let value = self.expression(&mut rest);
                assert!(rest.0.trim().is_empty(), "{text}: what is “{}”?", rest.0);
                value
            }
            Value::Array(all) => all.iter().map(|one| self.whole(one)).collect(),
            Value::Object(all) => {
                let text =
                    |name: &String| self.whole(&Value::String(name.clone())).as_str().unwrap().to_owned();
                Value::Object(all.iter().map(|(name, value)| (text(name), self.whole(value))).collect())
            }
            other => other.clone(),
        }
    }

    fn expression(&self, rest: &mut Rest<'_>) -> Value {
        rest.0 = rest.0.trim_start();
        if let Some(quoted) = rest.0.strip_prefix('\'') {
            let (text, after) = quoted.split_once('\'').unwrap();
            rest.0 = after;
            return text.into();
        }
        let end = rest.0.find('(').unwrap_or_else(|| panic!("“{}” is no expression", rest.0));
        let name = rest.0[..end].to_owned();
        rest.0 = &rest.0[end + 1..];
        let mut args = Vec::new();
        loop {
            rest.0 = rest.0.trim_start();
            if let Some(after) = rest.0.strip_prefix(')') {
                rest.0 = after;
                break;
            }
            if let Some(after) = rest.0.strip_prefix(',') {
                rest.0 = after;
            }
            args.push(self.expression(rest));
        }
        // What Azure makes has properties that are not known here.
        let mut asked = String::new();
        while let Some(after) = rest.0.strip_prefix('.') {
            let end = after.find(|c: char| !c.is_alphanumeric()).unwrap_or(after.len());
            asked = format!("{asked}.{}", &after[..end]);
            rest.0 = &after[end..];
        }
        let value = self.call(&name, &args);
        if asked.is_empty() { value } else { format!("{}{asked}", value.as_str().unwrap()).into() }
    }

    fn call(&self, name: &str, args: &[Value]) -> Value {
        let text = |n: usize| args[n].as_str().unwrap_or_else(|| panic!("{name}({args:?})"));
        match name {
            "parameters" => {
                let known = &self.0["parameters"][text(0)];
                assert!(known.is_object(), "there is no parameter {}", text(0));
                match known.get("defaultValue") {
                    Some(value) => self.whole(value),
                    None => format!("given-{}", text(0)).into(),
                }
            }
            "variables" => {
                let known = &self.0["variables"][text(0)];
                assert!(!known.is_null(), "there is no variable {}", text(0));
                self.whole(known)
            }
            "concat" if args[0].is_array() => {
                args.iter().flat_map(|list| list.as_array().unwrap().clone()).collect()
            }
            "concat" => (0..args.len()).map(text).collect::<String>().into(),
            "if" => args[if args[0].as_bool().unwrap() { 1 } else { 2 }].clone(),
            "createArray" => args.iter().cloned().collect(),
            "toLower" => text(0).to_lowercase().into(),
            "uniqueString" => "unique".into(),
            "guid" => format!("guid-{}", text(args.len() - 1)).into(),
            "resourceGroup" => "group".into(),
            "resourceId" | "subscriptionResourceId" => {
                // The parts of a name stand between those of the type.
                (0..args.len()).map(text).collect::<Vec<_>>().join("/").into()
            }
            "reference" => {
                assert!(self.ids().contains(text(0)), "{} is nothing that is made here", text(0));
                "made".into()
            }
            _ => panic!("what is {name}({args:?})?"),
        }
    }

    fn name_of(&self, resource: &Value) -> String {
        self.whole(&resource["name"]).as_str().unwrap().to_owned()
    }

    /// The ids of all that is made.
    fn ids(&self) -> BTreeSet<String> {
        let all = self.0["resources"].as_array().unwrap();
        all.iter().map(|one| format!("{}/{}", one["type"].as_str().unwrap(), self.name_of(one))).collect()
    }
}

fn template() -> Template {
    Template(json(NAME))
}

/// The containers of apps and jobs, worked out.
fn containers(template: &Template) -> Vec<Value> {
    let resources = template.0["resources"].as_array().unwrap();
    let apps = resources.iter().filter(|one| one["type"].as_str().unwrap().starts_with("Microsoft.App/"));
    let lists = apps.filter_map(|one| one["properties"]["template"]["containers"].as_array());
    lists.flatten().map(|container| template.whole(container)).collect()
}

pub(crate) fn commands() -> Vec<Segue> {
    let template = template();
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    let found = containers(&template).into_iter().map(|container| {
        assert_eq!(container["command"], serde_json::json!(["/usr/bin/segue"]));
        let args = container["args"].as_array().unwrap().iter().map(text).collect();
        let all = container["env"].as_array().unwrap().iter();
        let variables = all.map(|one| {
            // A secret is a text that only Azure knows; this one has a form.
            let secret =
                || if one["name"] == "SEGUE_SECRET_KEY" { "0".repeat(64) } else { "secret".to_owned() };
            (text(&one["name"]), one["value"].as_str().map_or_else(secret, str::to_owned))
        });
        Segue { of: NAME, args, variables: variables.collect() }
    });
    found.collect()
}

fn probes_of(template: &Template) -> Vec<Value> {
    let containers = containers(template).into_iter();
    containers.filter_map(|one| Some(one["probes"].as_array()?.clone())).flatten().collect()
}

pub(crate) fn probes() -> BTreeSet<String> {
    let probes = probes_of(&template());
    probes.iter().map(|probe| probe["httpGet"]["path"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn ports() -> Vec<u64> {
    let template = template();
    let probes = probes_of(&template);
    let mut ports: Vec<u64> = probes.iter().map(|probe| probe["httpGet"]["port"].as_u64().unwrap()).collect();
    let resources = template.0["resources"].as_array().unwrap();
    let doors = resources
        .iter()
        .filter_map(|one| one["properties"]["configuration"]["ingress"]["targetPort"].as_u64());
    ports.extend(doors);
    assert_eq!(ports.len(), 4);
    ports
}

#[test]
fn every_name_in_the_template_is_one_of_its_own() {
    let template = template();
    let ids = template.ids();
    let all = template.0["resources"].as_array().unwrap();
    assert_eq!(ids.len(), all.len(), "two things have one name: {ids:?}");
    let secrets: BTreeSet<String> = template.0["variables"]["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| secret["name"].as_str().unwrap().to_owned())
        .collect();
    for resource in all {
        let name = template.name_of(resource);
        let made = template.whole(resource);
        let version = made["apiVersion"].as_str().unwrap();
        assert!(version.len() >= 10 && version.starts_with("202"), "{name}: {version}");
        // A name has as many parts as its type has.
        let parts = resource["type"].as_str().unwrap().matches('/').count();
        assert_eq!(name.matches('/').count() + 1, parts, "{name}");
        for needed in made["dependsOn"].as_array().into_iter().flatten() {
            // The id names the parts of a name with slashes, as a name does.
            let needed = needed.as_str().unwrap();
            assert!(ids.contains(needed), "{name} depends on {needed}, which is not made here:\n{ids:?}");
        }
    }
    for container in containers(&template) {
        for one in container["env"].as_array().unwrap() {
            let secret = one["secretRef"].as_str();
            assert!(secret.is_none_or(|secret| secrets.contains(secret)), "{one}");
            assert_eq!(secret.is_some(), one["value"].is_null(), "{one}");
        }
        for mount in container["volumeMounts"].as_array().unwrap() {
            assert_eq!(mount["mountPath"], "/data");
        }
    }
    // What is defined is used.
    let text = template.0.to_string();
    for kind in ["parameters", "variables"] {
        for name in template.0[kind].as_object().unwrap().keys() {
            assert!(text.contains(&format!("{kind}('{name}')")), "nothing uses the {kind} {name}");
        }
    }
    template.whole(&template.0["outputs"]);
    assert!(template.0["parameters"]["leastProcesses"]["minValue"].as_u64().unwrap() >= 3);
}
