//! Policies as IAM documents, none of them larger than IAM takes.
//!
//! Source of the limit: "IAM and AWS STS quotas" in the IAM User Guide. White space does not count.

use serde_json::{Value, json};

use super::statements::Statement;

/// The most characters of a managed policy.
pub(crate) const MOST: usize = 6144;

/// The documents that allow these statements together: one, if it is small enough.
pub(super) fn documents(statements: Vec<Statement>) -> Vec<Value> {
    let mut documents = Vec::new();
    let mut current: Vec<Statement> = Vec::new();
    for statement in statements {
        let mut rest = statement;
        loop {
            let fits = |part: &Statement| size(&document(current.iter().chain([part]))) <= MOST;
            if fits(&rest) {
                current.push(rest);
                break;
            }
            let most = (1..rest.len()).collect::<Vec<_>>().partition_point(|first| fits(&rest.divided(*first).0));
            if most == 0 && !current.is_empty() {
                documents.push(document(&std::mem::take(&mut current)));
            } else if rest.len() <= 1 {
                // There is nothing to divide.
                current.push(rest);
                break;
            } else {
                let (head, tail) = rest.divided(most.max(1));
                current.push(head);
                rest = tail;
            }
        }
    }
    documents.push(document(&current));
    documents
}

fn document<'s>(statements: impl IntoIterator<Item = &'s Statement>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements.into_iter().map(Statement::json).collect::<Vec<_>>() })
}

/// The characters that IAM counts.
fn size(document: &Value) -> usize {
    document.to_string().chars().filter(|c| !c.is_whitespace()).count()
}
