//! Delivery status notifications (RFC 3464) as Python's email package reads them: somebody else's parser.

use serde_json::Value;

use super::programs::python;

const PARSER: &str = "
import email, email.policy, json, sys
raw = sys.stdin.buffer.read()
message = email.message_from_bytes(raw, policy=email.policy.SMTP)
def fields(part):
    return [[name, str(value)] for name, value in part.items()]
parts = list(message.iter_parts()) if message.is_multipart() else []
status = next((part for part in parts if part.get_content_type() in ('message/delivery-status', 'message/global-delivery-status')), None)
groups = [dict((name.lower(), str(value)) for name, value in group.items()) for group in status.get_payload()] if status is not None else []
text = next((part.get_content() for part in parts if part.get_content_type() == 'text/plain'), '')
returned = parts[2] if len(parts) > 2 else None
content = ''
if returned is not None:
    inner = returned.get_payload()
    content = inner[0].as_string() if isinstance(inner, list) else returned.get_content()
print(json.dumps({
    'type': message.get_content_type(),
    'report_type': message.get_param('report-type'),
    'fields': dict((name.lower(), value) for name, value in fields(message)),
    'parts': [part.get_content_type() for part in parts],
    'message': groups[0] if groups else {},
    'recipients': groups[1:],
    'text': text,
    'returned': content,
    'defects': [repr(defect) for part in [message, *message.walk()] for defect in part.defects],
    'bare': raw.replace(b'\\r\\n', b'').count(b'\\n'),
    'longest': max(len(line) for line in raw.split(b'\\r\\n')),
}))
";

/// A report, taken apart: `type`, `fields`, `message` (fields per message), `recipients` (fields per recipient), `text`,
/// `returned`, `parts`.
///
/// # Panics
/// If it is no report of RFC 6522 and 3464, or has a defect.
#[track_caller]
pub(crate) fn report(content: &[u8]) -> Value {
    let said = python(PARSER, &[], content).expect_success();
    let report: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(report["type"], "multipart/report", "{report:#}");
    assert_eq!(report["report_type"], "delivery-status", "{report:#}");
    assert_eq!(report["defects"], serde_json::json!([]), "{report:#}");
    assert_eq!(report["bare"], 0, "{report:#}");
    assert!(report["longest"].as_u64().unwrap() <= 998, "{report:#}");
    // RFC 3464 2.2.2, 2.3.2 to 2.3.4: what each must have.
    assert!(report["message"]["reporting-mta"].is_string(), "{report:#}");
    for recipient in report["recipients"].as_array().unwrap() {
        for field in ["final-recipient", "action", "status"] {
            assert!(recipient[field].is_string(), "{field} in {report:#}");
        }
    }
    report
}
