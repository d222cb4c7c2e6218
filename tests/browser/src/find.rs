//! Looking for a target on the page that is shown.

use anyhow::{Result, bail, ensure};
use fantoccini::elements::Element;
use serde_json::{Value, json};

use crate::session::Session;
use crate::target::{Target, What};

/// Roles of what has a label.
const LABELLED: [&str; 11] = [
    "checkbox",
    "combobox",
    "listbox",
    "menuitemradio",
    "radio",
    "searchbox",
    "slider",
    "spinbutton",
    "switch",
    "textbox",
    "Date",
];

impl Session {
    /// The one that is meant.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub(crate) fn find(&self, target: &Target) -> Result<Element> {
        let mut found = self.find_all(target)?;
        let count = found.len();
        ensure!(count <= 1, "there are {count} of {target}: say which by `nth` or `within`");
        let Some(one) = found.pop() else { bail!("there is no {target}") };
        Ok(one)
    }

    /// All that match and can be seen, in the document's order.
    pub(crate) fn find_all(&self, target: &Target) -> Result<Vec<Element>> {
        let around = target.inside.as_deref().map(|inside| self.find(inside)).transpose()?;
        let around = json!(around);
        let found = match &target.what {
            What::Role { role, name } => self.find_named(Some(role), name, &around)?,
            What::Label(name) => self.find_named(None, name, &around)?,
            What::Hook(name) => self.select(&format!("[data-test={}]", json!(name)), &around)?,
            What::Css(selector) => self.select(selector, &around)?,
            What::Text(words) => self.elements(include_str!("scripts/text.js"), &[json!(words), around])?,
        };
        Ok(match target.nth {
            Some(at) => found.into_iter().skip(at).take(1).collect(),
            None => found,
        })
    }

    fn select(&self, selector: &str, around: &Value) -> Result<Vec<Element>> {
        self.elements(include_str!("scripts/select.js"), &[json!(selector), around.clone()])
    }

    /// By the tree that the browser makes for screen readers.
    fn find_named(&self, role: Option<&str>, name: &str, around: &Value) -> Result<Vec<Element>> {
        let document = self.devtools("Runtime.evaluate", &json!({ "expression": "document" }))?;
        let document = &document["result"]["objectId"];
        let mut query = json!({ "objectId": document });
        if let Some(role) = role {
            query["role"] = json!(role);
        }
        let tree = self.devtools("Accessibility.queryAXTree", &query)?;
        let nodes = tree["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let candidates: Vec<_> = nodes.iter().filter_map(Named::of).collect();
        let may_be = |it: &&Named| role.is_some() || LABELLED.contains(&it.role);
        let candidates: Vec<_> = candidates.iter().filter(may_be).collect();
        let exact: Vec<_> = candidates.iter().filter(|it| it.name == name).collect();
        let matching = if exact.is_empty() {
            candidates.iter().filter(|it| it.name.contains(name)).collect()
        } else {
            exact
        };
        if matching.is_empty() {
            return Ok(Vec::new());
        }
        let mut arguments = Vec::new();
        for it in matching {
            let node = self.devtools("DOM.resolveNode", &json!({ "backendNodeId": it.node }))?;
            arguments.push(json!({ "objectId": node["object"]["objectId"] }));
        }
        // What one protocol found is handed to the other through the page.
        let hand_over = json!({
            "objectId": document,
            "functionDeclaration": "function (...found) { window.__found = found; }",
            "arguments": arguments,
        });
        self.devtools("Runtime.callFunctionOn", &hand_over)?;
        self.elements(include_str!("scripts/found.js"), std::slice::from_ref(around))
    }
}

/// What has a role and a name.
struct Named<'a> {
    role: &'a str,
    name: &'a str,
    node: &'a Value,
}

impl<'a> Named<'a> {
    /// None for what a screen reader passes over.
    fn of(node: &'a Value) -> Option<Self> {
        if node["ignored"] == true {
            return None;
        }
        let name = node["name"]["value"].as_str().unwrap_or_default();
        Some(Self { role: node["role"]["value"].as_str()?, name, node: node.get("backendDOMNodeId")? })
    }
}
