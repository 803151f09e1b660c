//! One call of the web client: how it is sent, by whom, and what is read of the answer.

use domain::permission::{Role, role_has};

/// The roles that ask, in the order of the report's columns.
pub const ROLES: [&str; 9] = [
    "superuser",
    "manager",
    "mlmanager",
    "researcher",
    "identifier",
    "basic",
    "worker",
    "outsider",
    "anonymous",
];

/// The role that a column has in the project.
pub fn role(column: usize) -> Option<Role> {
    let roles = [
        Role::ProjectManager,
        Role::MlDataManager,
        Role::Researcher,
        Role::Identifier,
        Role::BasicMember,
        Role::Worker,
    ];
    roles.get(column.checked_sub(1)?).copied()
}

/// Who may do it; everybody else is refused.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    Everybody,
    SignedIn,
    /// Anybody with a role in the project.
    Members,
    /// Whose role holds this permission.
    Holds(&'static str),
    Superusers,
}

impl Who {
    /// Whether a column may.
    pub fn may(self, column: usize) -> bool {
        match self {
            Who::Everybody => true,
            Who::SignedIn => column < ROLES.len() - 1,
            Who::Members => column == 0 || role(column).is_some(),
            Who::Holds(name) => column == 0 || role(column).is_some_and(|r| role_has(r, name)),
            Who::Superusers => column == 0,
        }
    }
}

/// What is sent with it. Texts may name rows: `$project`.
#[derive(Clone, Copy, Debug)]
pub enum Sent {
    Nothing,
    Json(&'static str),
    /// A form of parts.
    Form(&'static [(&'static str, &'static str)]),
    /// The same with a photograph in the part of this name.
    Photo(&'static [(&'static str, &'static str)], &'static str),
}

/// What is made before each asking, so that no role finds what another one did. Its number is
/// `$made`.
#[derive(Clone, Copy, Debug)]
pub enum Made {
    Nothing,
    /// What a superuser's POST of this body makes; `$email` is a stranger's.
    Row(&'static str, &'static str),
    /// The same, by who asks where they may.
    Own(&'static str, &'static str),
    /// A photograph that was sent.
    Photo,
    /// Somebody of the same role, who then asks; `$email` is theirs.
    Person,
    /// Somebody without a role; `$email` is theirs.
    Stranger,
    /// A project in which everybody has their role.
    Project,
    /// A list with a taxon on it.
    Listed,
    /// A job in this state.
    Job(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    pub sent: Sent,
    pub made: Made,
    pub who: Who,
    pub status: u16,
    pub reads: &'static [&'static str],
    /// Whether the client leaves out the header even when signed in.
    pub bare: bool,
    /// Whether the client only asks it when somebody is signed in.
    pub signed_in: bool,
    /// What tells it from other rows of the same address.
    pub note: &'static str,
    /// Ends of the address with which it is asked too.
    pub also: &'static [&'static str],
    /// Ends that narrow a list, of which there may be nothing left.
    pub narrowed: &'static [&'static str],
    /// The roles that rightly see an empty list; all others see rows, and each row is read.
    pub nothing: &'static [&'static str],
}

const fn row(method: &'static str, path: &'static str, sent: Sent, status: u16) -> Row {
    Row {
        method,
        path,
        sent,
        made: Made::Nothing,
        who: Who::Everybody,
        status,
        reads: &[],
        bare: false,
        signed_in: false,
        note: "",
        also: &[],
        narrowed: &[],
        nothing: &[],
    }
}

pub const fn get(path: &'static str) -> Row {
    row("GET", path, Sent::Nothing, 200)
}

pub const fn post(path: &'static str, sent: Sent, status: u16) -> Row {
    row("POST", path, sent, status)
}

pub const fn patch(path: &'static str, sent: Sent) -> Row {
    row("PATCH", path, sent, 200)
}

pub const fn delete(path: &'static str) -> Row {
    row("DELETE", path, Sent::Nothing, 204)
}

impl Row {
    pub const fn made(self, made: Made) -> Row {
        Row { made, ..self }
    }

    pub const fn by(self, who: Who) -> Row {
        Row { who, ..self }
    }

    pub const fn reads(self, reads: &'static [&'static str]) -> Row {
        Row { reads, ..self }
    }

    pub const fn note(self, note: &'static str) -> Row {
        Row { note, ..self }
    }

    pub const fn also(self, also: &'static [&'static str]) -> Row {
        Row { also, ..self }
    }

    /// Filters after which a list may be empty.
    pub const fn narrowed(self, narrowed: &'static [&'static str]) -> Row {
        Row { narrowed, ..self }
    }

    /// For these roles the list is empty, and that is right.
    pub const fn nothing_for(self, nothing: &'static [&'static str]) -> Row {
        Row { nothing, ..self }
    }

    /// The client leaves out the header.
    pub const fn bare(self) -> Row {
        Row { bare: true, ..self }
    }

    /// The client asks it only when somebody is signed in.
    pub const fn signed_in(self) -> Row {
        Row {
            signed_in: true,
            ..self
        }
    }

    /// As the report names it.
    pub fn name(&self) -> String {
        let form = match self.sent {
            Sent::Form(_) | Sent::Photo(..) => " form",
            _ => "",
        };
        let note = match (self.note, self.made) {
            ("", Made::Job(state)) => format!(" ({state})"),
            ("", _) => String::new(),
            (note, _) => format!(" ({note})"),
        };
        format!("{} {}{form}{note}", self.method, self.path)
    }
}
