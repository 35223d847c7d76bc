//! The template for AWS. `cfn-lint` knows what AWS takes; here is what is Segue's.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Segue, json};

const NAME: &str = "aws/template.json";

/// A text of the template, with a word in place of what only AWS knows.
fn known(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    if let Some(text) = value.get("Fn::Sub").and_then(Value::as_str) {
        let mut parts = text.split("${");
        let first = parts.next().unwrap_or_default().to_owned();
        return parts.fold(first, |text, part| {
            let (_, after) = part.split_once('}').unwrap();
            format!("{text}known{after}")
        });
    }
    // A parameter has what is usual.
    let name = value["Ref"].as_str().unwrap_or_else(|| panic!("{value}"));
    let usual = json(NAME)["Parameters"][name]["Default"].clone();
    usual.as_str().map_or_else(|| "us-east-1".to_owned(), str::to_owned)
}

fn containers() -> Vec<Value> {
    let template = json(NAME);
    let all = template["Resources"].as_object().unwrap().values();
    let tasks = all.filter(|one| one["Type"] == "AWS::ECS::TaskDefinition");
    tasks.flat_map(|task| task["Properties"]["ContainerDefinitions"].as_array().unwrap().clone()).collect()
}

pub(crate) fn commands() -> Vec<Segue> {
    let found = containers().into_iter().map(|container| {
        assert_eq!(container["EntryPoint"], serde_json::json!(["/usr/bin/segue"]));
        let args = container["Command"].as_array().unwrap().iter().map(known).collect();
        let name = |one: &Value| one["Name"].as_str().unwrap().to_owned();
        let plain = container["Environment"].as_array().unwrap().iter();
        let secret = container["Secrets"].as_array().unwrap().iter();
        // A secret is a text that only AWS knows; one of them has a form.
        let secret = secret.map(|one| {
            let text = if name(one) == "SEGUE_SECRET_KEY" { "0".repeat(64) } else { "secret".to_owned() };
            (name(one), text)
        });
        let variables = plain.map(|one| (name(one), known(&one["Value"]))).chain(secret).collect();
        Segue { of: NAME, args, variables }
    });
    found.collect()
}

fn targets() -> Vec<Value> {
    let template = json(NAME);
    let all = template["Resources"].as_object().unwrap().values();
    let groups = all.filter(|one| one["Type"] == "AWS::ElasticLoadBalancingV2::TargetGroup");
    groups.map(|group| group["Properties"].clone()).collect()
}

pub(crate) fn probes() -> BTreeSet<String> {
    targets().iter().map(|group| group["HealthCheckPath"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn ports() -> Vec<u64> {
    let mut ports: Vec<u64> = targets().iter().map(|group| group["Port"].as_u64().unwrap()).collect();
    for container in containers() {
        let mapped = container["PortMappings"].as_array().into_iter().flatten();
        ports.extend(mapped.map(|port| port["ContainerPort"].as_u64().unwrap()));
    }
    assert_eq!(ports.len(), 2);
    ports
}

#[test]
fn the_stack_has_three_processes_at_least() {
    let template = json(NAME);
    assert!(template["Parameters"]["LeastProcesses"]["MinValue"].as_u64().unwrap() >= 3);
    assert_eq!(template["Resources"]["Service"]["Properties"]["DesiredCount"]["Ref"], "LeastProcesses");
    assert!(template["Resources"]["Replica"]["Properties"]["SourceDBInstanceIdentifier"].is_object());
}
