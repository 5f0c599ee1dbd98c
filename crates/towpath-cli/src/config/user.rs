//! Who runs the program, as the audit trail of a lake names them.

use towpath::Principal;

use super::Environment;

/// What a machine or a user without a name is called.
const UNKNOWN: &str = "unknown";

/// The user of this process, on this machine.
///
/// On Unix the name is the account's own, whatever the variables say.
pub(super) fn principal(environment: &Environment) -> Principal {
    let (user, host) = names(environment);
    Principal::os_user(user.as_deref().unwrap_or(UNKNOWN), host.as_deref().unwrap_or(UNKNOWN))
        .with_user_agent(concat!("towpath/", env!("CARGO_PKG_VERSION"), " command"))
}

#[cfg(unix)]
fn names(_: &Environment) -> (Option<String>, Option<String>) {
    use nix::unistd::{Uid, User, gethostname};
    let id = Uid::current();
    // A container may run as a number that no account has.
    let user = User::from_uid(id).ok().flatten().map(|user| user.name);
    let host = gethostname().ok().and_then(|host| host.into_string().ok());
    (Some(user.unwrap_or_else(|| format!("uid {id}"))), host)
}

#[cfg(not(unix))]
fn names(environment: &Environment) -> (Option<String>, Option<String>) {
    let text = |name| environment.text(name).map(str::to_owned);
    (text("USERNAME"), text("COMPUTERNAME"))
}
