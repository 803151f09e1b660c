//! What an address really takes and answers, where its methods and its table of fields do not
//! say it. Only the schema reads this: OPTIONS stays as its readers know it.

use rest::field::Field;

use super::View;

/// An answer that is no error.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// A row, with what the caller may do with it.
    Row(&'static [Field]),
    /// An object.
    Object(&'static [Field]),
    /// A page of rows, with what the caller may do with each.
    Page(&'static [Field]),
    /// A page of objects.
    Objects(&'static [Field]),
    /// A bare list of objects.
    List(&'static [Field]),
    /// An object that no table describes.
    Open,
    /// An object of addresses.
    Map,
    /// Leads elsewhere.
    Moved,
    /// Plain text.
    Text,
    /// A page for people.
    Html,
    /// The OpenAPI document in each of its representations.
    Schema,
    /// No body.
    Nothing,
}

/// What is not said elsewhere; empty where there is nothing to say.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Answers to GET, the usual one first.
    pub got: &'static [Answer],
    /// Statuses and answers of POST, the usual one first.
    pub posted: &'static [(u16, Answer)],
    /// Answer to PUT and PATCH.
    pub edited: Option<Answer>,
    /// Methods that it always refuses, though it allows them as the reference does.
    pub refused: &'static [&'static str],
    /// What POST takes.
    pub takes: Option<&'static [Field]>,
    /// What PUT and PATCH take.
    pub edits: Option<&'static [Field]>,
    /// What DELETE takes.
    pub removal: &'static [Field],
    /// What the query of GET may hold besides filters.
    pub query: &'static [Field],
    /// What the query of other methods may hold.
    pub asks: &'static [Field],
    /// Statuses of refusals besides those of every address.
    pub fails: &'static [u16],
    /// Whether nobody may even look without signing in.
    pub private: bool,
    /// Whether it answers without asking who asks.
    pub open: bool,
    /// Whether it chooses the representation of its answer itself.
    pub own_formats: bool,
}

impl Contract {
    /// Nothing special.
    pub const PLAIN: Contract = Contract {
        got: &[],
        posted: &[],
        edited: None,
        refused: &[],
        takes: None,
        edits: None,
        removal: &[],
        query: &[],
        asks: &[],
        fails: &[],
        private: false,
        open: false,
        own_formats: false,
    };
}

impl View {
    const fn with(self, contract: Contract) -> View {
        View { contract, ..self }
    }

    /// GET answers these, the usual one first.
    pub const fn got(self, got: &'static [Answer]) -> View {
        self.with(Contract {
            got,
            ..self.contract
        })
    }

    /// POST answers these.
    pub const fn posted(self, posted: &'static [(u16, Answer)]) -> View {
        self.with(Contract {
            posted,
            ..self.contract
        })
    }

    /// PUT and PATCH answer this.
    pub const fn edited(self, answer: Answer) -> View {
        self.with(Contract {
            edited: Some(answer),
            ..self.contract
        })
    }

    /// Always refuses these methods.
    pub const fn refused(self, refused: &'static [&'static str]) -> View {
        self.with(Contract {
            refused,
            ..self.contract
        })
    }

    /// POST takes this.
    pub const fn takes(self, fields: &'static [Field]) -> View {
        self.with(Contract {
            takes: Some(fields),
            ..self.contract
        })
    }

    /// PUT and PATCH take this.
    pub const fn edits(self, fields: &'static [Field]) -> View {
        self.with(Contract {
            edits: Some(fields),
            ..self.contract
        })
    }

    /// DELETE takes this.
    pub const fn removal(self, removal: &'static [Field]) -> View {
        self.with(Contract {
            removal,
            ..self.contract
        })
    }

    /// The query of GET may hold this besides filters.
    pub const fn query(self, query: &'static [Field]) -> View {
        self.with(Contract {
            query,
            ..self.contract
        })
    }

    /// The query of other methods may hold this.
    pub const fn asks(self, asks: &'static [Field]) -> View {
        self.with(Contract {
            asks,
            ..self.contract
        })
    }

    /// Refuses with these statuses too.
    pub const fn fails(self, fails: &'static [u16]) -> View {
        self.with(Contract {
            fails,
            ..self.contract
        })
    }

    /// Is only for people who are signed in.
    pub const fn private(self) -> View {
        self.with(Contract {
            private: true,
            ..self.contract
        })
    }

    /// Is for everybody.
    pub const fn open(self) -> View {
        self.with(Contract {
            open: true,
            ..self.contract
        })
    }

    /// Chooses the representation of its answer itself.
    pub const fn own_formats(self) -> View {
        self.with(Contract {
            own_formats: true,
            ..self.contract
        })
    }
}
