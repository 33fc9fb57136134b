use super::*;

#[test]
fn faults_of_tls_are_results_and_others_are_not() {
    let handshake = |kind| Cause::Handshake {
        kind,
        detail: String::new(),
    };
    for (step, cause, expected) in [
        (
            Step::Hello,
            Cause::NoStartTls,
            Some(ResultType::StarttlsNotSupported),
        ),
        (
            Step::Tls,
            handshake(TlsFault::Expired),
            Some(ResultType::CertificateExpired),
        ),
        (
            Step::Tls,
            handshake(TlsFault::HostMismatch),
            Some(ResultType::CertificateHostMismatch),
        ),
        (
            Step::Tls,
            handshake(TlsFault::NotTrusted),
            Some(ResultType::CertificateNotTrusted),
        ),
        (
            Step::Tls,
            handshake(TlsFault::TlsaMismatch),
            Some(ResultType::TlsaInvalid),
        ),
        (
            Step::Tls,
            handshake(TlsFault::Handshake),
            Some(ResultType::ValidationFailure),
        ),
        (
            Step::Tls,
            Cause::Timeout(60),
            Some(ResultType::ValidationFailure),
        ),
        (
            Step::Tls,
            Cause::TlsPolicy(String::new()),
            Some(ResultType::ValidationFailure),
        ),
        (Step::Connect, Cause::Timeout(30), None),
        (Step::Banner, Cause::Closed, None),
        (Step::Hello, Cause::Refused(String::new()), None),
        (Step::Tls, Cause::RequireTls(String::new()), None),
    ] {
        let fault = Fault::new("mx", step, cause);
        assert_eq!(result_type(&fault), expected, "{fault}");
    }
}
