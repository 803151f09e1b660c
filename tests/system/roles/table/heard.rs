//! What the ten roles hear, by name: superuser, owner, manager, mlmanager, researcher, identifier,
//! basic, nonmember, staff, anonymous.

/// Open to all.
pub const ALL: [u16; 10] = [200; 10];
/// Open to all who are signed in.
pub const SIGNED_IN: [u16; 10] = [200, 200, 200, 200, 200, 200, 200, 200, 200, 401];
/// A draft project is there for its owner and superusers only.
pub const DRAFT: [u16; 10] = [200, 200, 404, 404, 404, 404, 404, 404, 404, 404];
/// The same where the refusal says that there is something.
pub const DRAFT_SAID: [u16; 10] = [200, 200, 403, 403, 403, 403, 403, 403, 403, 401];
/// Who manages data and makes something.
pub const DATA_MAKE: [u16; 10] = [201, 201, 201, 201, 403, 403, 403, 403, 403, 401];
/// Who manages data.
pub const DATA: [u16; 10] = [200, 200, 200, 200, 403, 403, 403, 403, 403, 401];
/// Members.
pub const MEMBERS: [u16; 10] = [200, 200, 200, 200, 200, 200, 200, 403, 403, 401];
/// Managers.
pub const MANAGERS: [u16; 10] = [200, 200, 200, 403, 403, 403, 403, 403, 403, 401];
/// Managers who make something.
pub const MANAGERS_MAKE: [u16; 10] = [201, 201, 201, 403, 403, 403, 403, 403, 403, 401];
/// Managers who delete something.
pub const MANAGERS_END: [u16; 10] = [204, 204, 204, 403, 403, 403, 403, 403, 403, 401];
/// Superusers.
pub const SUPER: [u16; 10] = [200, 403, 403, 403, 403, 403, 403, 403, 403, 401];
/// Superusers who make something.
pub const SUPER_MAKE: [u16; 10] = [201, 403, 403, 403, 403, 403, 403, 403, 403, 401];
/// Superusers who delete something.
pub const SUPER_END: [u16; 10] = [204, 403, 403, 403, 403, 403, 403, 403, 403, 401];
/// Members who make something.
pub const MEMBERS_MAKE: [u16; 10] = [201, 201, 201, 201, 201, 201, 201, 403, 403, 401];
/// Other people are staff business.
pub const STAFF: [u16; 10] = [200, 404, 404, 404, 404, 404, 404, 404, 200, 401];
/// Staff writes what belongs to no project.
pub const STAFF_CHANGE: [u16; 10] = [200, 403, 403, 403, 403, 403, 403, 403, 200, 401];
/// Staff makes what belongs to no project.
pub const STAFF_MAKE: [u16; 10] = [201, 403, 403, 403, 403, 403, 403, 403, 201, 401];
/// Heard by whoever is signed in and says the wrong password.
pub const WRONG: [u16; 10] = [400, 400, 400, 400, 400, 400, 400, 400, 400, 401];
/// Staff deletes what belongs to no project.
pub const STAFF_END: [u16; 10] = [204, 403, 403, 403, 403, 403, 403, 403, 204, 401];
/// Staff writes, but what belongs to a draft project alone is not there for them.
pub const STAFF_OUTSIDE: [u16; 10] = [200, 403, 403, 403, 403, 403, 403, 403, 404, 401];
/// Written by jobs alone.
pub const NOBODY: [u16; 10] = [403, 403, 403, 403, 403, 403, 403, 403, 403, 401];
