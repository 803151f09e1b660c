//! Taxa with their parents, lists and tags, and which of them a project's default filters ask for.

use super::step::{About, Rows};
use crate::entity::{
    filter_taxon, tag, taxa_list, taxa_list_project, taxa_list_taxon, taxon, taxon_project,
    taxon_tag,
};

pub(super) const TAXA: Rows<taxon::Entity> = Rows {
    about: About {
        own: &[("parent_id", "parent_id")],
        leaves: &[
            "authorship_date",
            "ordering",
            "synonym_of_id",
            "author",
            "bold_taxon_bin",
            "notes",
            "sort_phylogeny",
        ],
        ..About::new("main_taxon", "taxon")
    },
    row: |line, _| {
        Ok(taxon::Model {
            id: line.key,
            name: line.get("name")?,
            rank: line.words("rank")?,
            parent_id: line.opt("parent_id")?,
            active: line.opt("active")?.unwrap_or(true),
            search_names: line.list("search_names")?,
            parents: line.list("parents_json")?,
            gbif_key: line.opt("gbif_taxon_key")?,
            common_name_en: line.text("common_name_en")?,
            inat_taxon_id: line.opt("inat_taxon_id")?,
            fieldguide_id: line.text("fieldguide_id")?,
            cover_image_url: line.text("cover_image_url")?,
            cover_image_credit: line.text("cover_image_credit")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const TAGS: Rows<tag::Entity> = Rows {
    about: About {
        needs: &[("project_id", "project")],
        ..About::new("main_tag", "tag")
    },
    row: |line, _| {
        Ok(tag::Model {
            id: line.key,
            project_id: line.opt("project_id")?,
            name: line.get("name")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const LISTS: Rows<taxa_list::Entity> = Rows {
    about: About::new("main_taxalist", "taxa_list"),
    row: |line, _| {
        Ok(taxa_list::Model {
            id: line.key,
            name: line.get("name")?,
            description: line.words("description")?,
            created_at: line.get("created_at")?,
            updated_at: line.get("updated_at")?,
        })
    },
};

pub(super) const LISTED: Rows<taxa_list_taxon::Entity> = Rows {
    about: About {
        needs: &[("taxalist_id", "taxa_list"), ("taxon_id", "taxon")],
        numbered: false,
        ..About::new("main_taxalist_taxa", "taxa_list_taxon")
    },
    row: |line, _| {
        Ok(taxa_list_taxon::Model {
            taxa_list_id: line.get("taxalist_id")?,
            taxon_id: line.get("taxon_id")?,
        })
    },
};

pub(super) const LISTS_OF_PROJECTS: Rows<taxa_list_project::Entity> = Rows {
    about: About {
        needs: &[("taxalist_id", "taxa_list"), ("project_id", "project")],
        numbered: false,
        ..About::new("main_taxalist_projects", "taxa_list_project")
    },
    row: |line, _| {
        Ok(taxa_list_project::Model {
            taxa_list_id: line.get("taxalist_id")?,
            project_id: line.get("project_id")?,
        })
    },
};

pub(super) const OF_PROJECTS: Rows<taxon_project::Entity> = Rows {
    about: About {
        needs: &[("taxon_id", "taxon"), ("project_id", "project")],
        numbered: false,
        ..About::new("main_taxon_projects", "taxon_project")
    },
    row: |line, _| {
        Ok(taxon_project::Model {
            taxon_id: line.get("taxon_id")?,
            project_id: line.get("project_id")?,
        })
    },
};

pub(super) const TAGGED: Rows<taxon_tag::Entity> = Rows {
    about: About {
        needs: &[("taxon_id", "taxon"), ("tag_id", "tag")],
        numbered: false,
        ..About::new("main_taxon_tags", "taxon_tag")
    },
    row: |line, _| {
        Ok(taxon_tag::Model {
            taxon_id: line.get("taxon_id")?,
            tag_id: line.get("tag_id")?,
        })
    },
};

const fn filtered(name: &'static str) -> About {
    About {
        needs: &[("taxon_id", "taxon"), ("project_id", "project")],
        numbered: false,
        ..About::new(name, "project_filter_taxon")
    }
}

pub(super) const INCLUDED: Rows<filter_taxon::Entity> = Rows {
    about: filtered("main_project_default_filters_include_taxa"),
    row: |line, _| {
        Ok(filter_taxon::Model {
            project_id: line.get("project_id")?,
            excluded: false,
            taxon_id: line.get("taxon_id")?,
        })
    },
};

pub(super) const EXCLUDED: Rows<filter_taxon::Entity> = Rows {
    about: filtered("main_project_default_filters_exclude_taxa"),
    row: |line, _| {
        Ok(filter_taxon::Model {
            project_id: line.get("project_id")?,
            excluded: true,
            taxon_id: line.get("taxon_id")?,
        })
    },
};
