//! What the demo's people make of what the detector found: names, a list, a tag, stars. The
//! idea: whoever drew a sheet knows what sits on it, so what is said of it here is true; of a
//! folder's photographs nobody knows, so there the detector's best guesses are agreed with.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Context;
use detector::scene::{Kind, Scene, Truth};
use store::Store;
use store::capture::{Capture, Detection, Scope};
use store::defaults::Defaults;
use store::identification::{IdentificationFilter, NewIdentification};
use store::occurrence::list::OccurrenceFilter;
use store::tag::TagFilter;
use store::taxa_list::TaxaListFilter;
use store::taxon::change::TaxonChange;

use super::prepare::Prepared;
use super::team::Team;

/// What the detector calls an insect.
const INSECT: &str = "Insect";

/// Name, rank and the one above of what sits on drawn sheets.
const TAXA: [(&str, &str, &str); 15] = [
    ("Lepidoptera", "ORDER", INSECT),
    ("Diptera", "ORDER", INSECT),
    ("Coleoptera", "ORDER", INSECT),
    ("Neuroptera", "ORDER", INSECT),
    ("Trichoptera", "ORDER", INSECT),
    ("Ephemeroptera", "ORDER", INSECT),
    ("Noctuidae", "FAMILY", "Lepidoptera"),
    ("Geometridae", "FAMILY", "Lepidoptera"),
    ("Crambidae", "FAMILY", "Lepidoptera"),
    ("Tortricidae", "FAMILY", "Lepidoptera"),
    ("Erebidae", "FAMILY", "Lepidoptera"),
    ("Sphingidae", "FAMILY", "Lepidoptera"),
    ("Chironomidae", "FAMILY", "Diptera"),
    ("Tipulidae", "FAMILY", "Diptera"),
    ("Chrysopidae", "FAMILY", "Neuroptera"),
];

/// Name of the list and of the tag.
const MOTHS: (&str, &str) = ("Moths", "Moth");
/// Of so many drawn sheets people look at one.
const ONE_OF: usize = 6;
/// Guesses that are agreed with in a folder.
const AGREED: u64 = 12;

/// What a drawn insect is called: as far as it can be told by eye.
fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Owlet => "Noctuidae",
        Kind::Geometer | Kind::Pug | Kind::Emerald => "Geometridae",
        Kind::GrassMoth => "Crambidae",
        Kind::LeafRoller => "Tortricidae",
        Kind::Footman | Kind::Tiger => "Erebidae",
        Kind::Hawkmoth => "Sphingidae",
        Kind::Midge => "Chironomidae",
        Kind::CraneFly => "Tipulidae",
        Kind::Beetle => "Coleoptera",
        Kind::Lacewing => "Chrysopidae",
        Kind::Caddisfly => "Trichoptera",
        Kind::Mayfly => "Ephemeroptera",
        // Too small to say more than the detector does.
        Kind::Fly => INSECT,
    }
}

/// Names what was found; what has been said before is not said again.
pub async fn name(store: &Store, prepared: &Prepared, team: &Team) -> anyhow::Result<()> {
    let project = prepared.project;
    let Some(taxa) = taxa(store, project).await? else {
        return Ok(()); // nothing was found, so nothing can be named
    };
    list_moths(store, project, &taxa).await?;
    let mut named = Vec::new();
    for (station, scenes) in &prepared.stations {
        let captures = captures(store, *station, scenes).await?;
        named.extend(look(store, scenes, &captures).await?);
        star(store, project, scenes, &captures).await?;
    }
    let first = match prepared.stations.iter().all(|(_, drawn)| drawn.is_empty()) {
        true => agreements(store, project).await?,
        false => identifications(store, &taxa, &named).await?,
    };
    let made = say(store, project, team.first, &first).await?;
    let second: Vec<NewIdentification> = made.iter().step_by(3).filter_map(agreed).collect();
    say(store, project, team.second, &second).await?;
    if !made.is_empty() {
        println!("Identifications: {}", made.len() + second.len());
    }
    Ok(())
}

/// The taxa by name, made where they are missing; none where the detector has named nothing.
async fn taxa(store: &Store, project: i64) -> anyhow::Result<Option<HashMap<String, i64>>> {
    let Some(insect) = store.taxon_named(INSECT).await? else {
        return Ok(None);
    };
    let mut taxa = HashMap::from([(INSECT.to_owned(), insect.id)]);
    for (name, rank, above) in TAXA {
        let id = match store.taxon_named(name).await? {
            Some(taxon) => taxon.id,
            None => {
                let new = TaxonChange {
                    name: Some(name.to_owned()),
                    rank: Some(rank.to_owned()),
                    parent_id: Some(taxa.get(above).copied()),
                    ..Default::default()
                };
                store.create_taxon(new, Some(project)).await?.id
            }
        };
        taxa.insert(name.to_owned(), id);
    }
    Ok(Some(taxa))
}

/// A list of the moths, and a tag on them.
async fn list_moths(
    store: &Store,
    project: i64,
    taxa: &HashMap<String, i64>,
) -> anyhow::Result<()> {
    let moths = TAXA
        .iter()
        .filter(|(_, _, above)| *above == "Lepidoptera")
        .filter_map(|(name, ..)| taxa.get(*name).copied());
    let moths: Vec<i64> = moths.collect();
    let filter = TaxaListFilter {
        project_id: Some(project),
        ..Default::default()
    };
    let (lists, _) = store.taxa_lists(&filter, 1000, 0).await?;
    if !lists.iter().any(|list| list.name == MOTHS.0) {
        let about = "Families of moths that come to the sheet";
        let list = store.create_taxa_list(project, MOTHS.0, about).await?;
        for taxon in &moths {
            store.list_taxon(list.id, *taxon).await?;
        }
    }
    let filter = TagFilter {
        project_id: Some(project),
        ..Default::default()
    };
    let (tags, _) = store.tags(&filter, 1000, 0).await?;
    if !tags.iter().any(|tag| tag.name == MOTHS.1) {
        store.create_tag(project, MOTHS.1, &moths).await?;
    }
    Ok(())
}

/// The captures of drawn sheets by file name.
async fn captures(
    store: &Store,
    station: i64,
    scenes: &[Scene],
) -> anyhow::Result<HashMap<String, Capture>> {
    let limit = u64::try_from(scenes.len())?;
    let ids = store
        .capture_ids_after(&Scope::Station(station), 0, limit)
        .await?;
    let rows = store.captures_by_id(&ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.path.clone(), row))
        .collect())
}

/// Occurrences on the sheets that people look at, with what really sits there: each kind once a
/// night.
async fn look(
    store: &Store,
    scenes: &[Scene],
    captures: &HashMap<String, Capture>,
) -> anyhow::Result<Vec<(i64, Kind)>> {
    let looked: Vec<(&Scene, i64)> = scenes
        .iter()
        .skip(ONE_OF / 2)
        .step_by(ONE_OF)
        .filter_map(|scene| Some((scene, captures.get(&scene.name)?.id)))
        .collect();
    let ids: Vec<i64> = looked.iter().map(|(_, id)| *id).collect();
    let found = store.found_on(&ids, &Defaults::default()).await?;
    let mut known = HashSet::new();
    let mut named = Vec::new();
    for (scene, capture) in looked {
        for insect in &scene.insects {
            let boxes = found.get(&capture).into_iter().flatten();
            let mut fitting = boxes.filter(|found| fits(&found.detection, insect));
            let seen = fitting.find_map(|found| found.seen.as_ref());
            if let Some(seen) = seen
                && known.insert((scene.night, insect.kind))
            {
                named.push((seen.occurrence.id, insect.kind));
            }
        }
    }
    Ok(named)
}

/// Whether a box is around the insect: they share more than half of what both cover.
fn fits(detection: &Detection, insect: &Truth) -> bool {
    let (Some(x1), Some(y1), Some(x2), Some(y2)) =
        (detection.x1, detection.y1, detection.x2, detection.y2)
    else {
        return false;
    };
    let [left, top, width, height] =
        [insect.x, insect.y, insect.width, insect.height].map(f64::from);
    let across = (x2.min(left + width) - x1.max(left)).max(0.0);
    let down = (y2.min(top + height) - y1.max(top)).max(0.0);
    let both = (x2 - x1) * (y2 - y1) + width * height - across * down;
    across * down > both / 2.0
}

/// Stars the first sheet of each night on which a hawkmoth sits.
async fn star(
    store: &Store,
    project: i64,
    scenes: &[Scene],
    captures: &HashMap<String, Capture>,
) -> anyhow::Result<()> {
    let mut nights = BTreeMap::new();
    for scene in scenes {
        let guest = |insect: &Truth| insect.kind == Kind::Hawkmoth;
        if scene.insects.iter().any(guest) {
            nights.entry(scene.night).or_insert(&scene.name);
        }
    }
    for name in nights.into_values() {
        if let Some(capture) = captures.get(name) {
            store.star(project, capture.id, true).await?;
        }
    }
    Ok(())
}

/// The names of drawn insects; where the name is the detector's own, it is agreed with.
async fn identifications(
    store: &Store,
    taxa: &HashMap<String, i64>,
    named: &[(i64, Kind)],
) -> anyhow::Result<Vec<NewIdentification>> {
    let occurrences: Vec<i64> = named.iter().map(|(id, _)| *id).collect();
    let predictions = store.predictions_of(&occurrences).await?;
    let mut all = Vec::new();
    for (occurrence, kind) in named {
        let taxon = *taxa.get(name_of(*kind)).context("a kind has no taxon")?;
        let said = predictions.get(occurrence).into_iter().flatten();
        let mut same = said.filter(|prediction| prediction.taxon_id == Some(taxon));
        all.push(NewIdentification {
            occurrence_id: *occurrence,
            taxon_id: taxon,
            agreed_with_prediction_id: same.next().map(|prediction| prediction.id),
            ..Default::default()
        });
    }
    Ok(all)
}

/// The detector's surest guesses of a project.
async fn agreements(store: &Store, project: i64) -> anyhow::Result<Vec<NewIdentification>> {
    let filter = OccurrenceFilter {
        project_id: Some(project),
        ..Default::default()
    };
    let (rows, _) = store.occurrences_page(&filter, AGREED, 0).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let predictions = store.predictions_of(&ids).await?;
    let agreed = |occurrence: &i64| {
        let best = store::occurrence::prediction::best(predictions.get(occurrence)?)?;
        Some(NewIdentification {
            occurrence_id: *occurrence,
            taxon_id: best.taxon_id?,
            comment: "Made by hawkmoth demo".to_owned(),
            agreed_with_prediction_id: Some(best.id),
            ..Default::default()
        })
    };
    Ok(ids.iter().filter_map(agreed).collect())
}

/// The same said by somebody else.
fn agreed(said: &store::identification::Identification) -> Option<NewIdentification> {
    Some(NewIdentification {
        occurrence_id: said.occurrence_id,
        taxon_id: said.taxon_id?,
        agreed_with_identification_id: Some(said.id),
        ..Default::default()
    })
}

/// Says it, unless this person has said something here before.
async fn say(
    store: &Store,
    project: i64,
    person: i64,
    new: &[NewIdentification],
) -> anyhow::Result<Vec<store::identification::Identification>> {
    let filter = IdentificationFilter {
        project_id: Some(project),
        user_id: Some(person),
        ..Default::default()
    };
    let (_, before) = store.identifications(&filter, 1, 0).await?;
    if before > 0 || new.is_empty() {
        return Ok(Vec::new());
    }
    Ok(store.identify(person, new).await?)
}
