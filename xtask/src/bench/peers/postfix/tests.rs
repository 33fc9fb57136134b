//! Lines of the master.cf that Debian ships.

use super::adapt;

#[test]
fn only_the_listener_and_the_chroot_change() {
    let shipped = "\
# service type  private unpriv  chroot  wakeup  maxproc command + args
smtp      inet  n       -       y       -       -       smtpd
#smtp      inet  n       -       y       -       1       postscreen
pickup    unix  n       -       y       60      1       pickup
smtp      unix  -       -       y       -       -       smtp
relay     unix  -       -       y       -       -       smtp
        -o syslog_name=postfix/$service_name
";
    let adapted = "\
# service type  private unpriv  chroot  wakeup  maxproc command + args
127.0.0.1:2525 inet n - n - - smtpd
#smtp      inet  n       -       y       -       1       postscreen
pickup unix n - n 60 1 pickup
smtp unix - - n - - smtp
relay unix - - n - - smtp
        -o syslog_name=postfix/$service_name
";
    assert_eq!(adapt(shipped, 2525), adapted);
}
