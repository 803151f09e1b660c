//! What is counted over occurrences: who identifies the most, and how far people and models agree.

use std::collections::HashMap;

use axum::Json;
use domain::agreement::{Lineage, RANKS, Share, Verdict, agreement as agree, rank_place, share};
use rest::ApiResult;
use rest::page::Page;
use serde_json::{Map, Value, json};
use store::occurrence::prediction::best;
use store::taxon::Taxon;

use super::filter;
use crate::api::identifications::people;
use crate::api::internal;
use crate::call::Call;

/// People that are named where nobody says how many.
const MOST: u64 = 5;
/// Occurrences that are looked at in one statement.
const BATCH: usize = 1000;

/// Who identified the most occurrences of a project.
pub async fn identifiers(call: Call) -> ApiResult<Json<Value>> {
    let (project, _) = call.required_project().await?;
    let limit = Page::read_or(&call.query, MOST).limit;
    let top = call.store().top_identifiers(project.id, limit).await;
    let top = top.map_err(internal)?;
    let ids: Vec<i64> = top.iter().map(|(id, _)| *id).collect();
    let people = people(&call, &ids).await?;
    let rows = top.iter().filter_map(|(id, count)| {
        let person = people.get(id)?;
        Some(json!({
            "id": id,
            "name": person["name"],
            "image": person["image"],
            "identification_count": count,
        }))
    });
    let rows: Vec<Value> = rows.collect();
    Ok(Json(
        json!({"project_id": project.id, "top_identifiers": rows}),
    ))
}

/// A taxon with all above it.
fn lineage(taxon: &Taxon) -> Lineage {
    let above = taxon.parents.as_array().into_iter().flatten();
    let above =
        above.filter_map(|one| Some((one["id"].as_i64()?, one["rank"].as_str()?.to_owned())));
    let mut all: Lineage = above.collect();
    all.push((taxon.id, taxon.rank.clone()));
    all
}

/// What people and the best model say of these occurrences.
async fn verdicts(call: &Call, occurrences: &[i64]) -> ApiResult<Vec<Verdict>> {
    let store = call.store();
    let mut named: Vec<(Option<i64>, Option<i64>)> = Vec::new();
    for ids in occurrences.chunks(BATCH) {
        let said = store.identifications_of(ids).await.map_err(internal)?;
        let predicted = store.predictions_of(ids).await.map_err(internal)?;
        for id in ids {
            let standing = said
                .get(id)
                .into_iter()
                .flatten()
                .filter(|said| !said.withdrawn);
            let person = standing.filter_map(|said| said.taxon_id).next();
            let model = predicted.get(id).and_then(|list| best(list)?.taxon_id);
            named.push((person, model));
        }
    }
    let ids: Vec<i64> = named.iter().flat_map(|(p, m)| [*p, *m]).flatten().collect();
    let taxa: HashMap<i64, Taxon> = store.taxa_by_id(&ids).await.map_err(internal)?;
    let of = |id: Option<i64>| id.and_then(|id| taxa.get(&id)).map(lineage);
    let verdicts = named.into_iter().map(|(person, model)| Verdict {
        person: of(person),
        model: of(model),
    });
    Ok(verdicts.collect())
}

fn put(map: &mut Map<String, Value>, name: &str, share: Share) {
    map.insert(format!("{name}_count"), json!(share.count));
    map.insert(format!("{name}_pct"), json!(share.share));
    map.insert(format!("{name}_ci_low"), json!(share.interval.map(|i| i.0)));
    map.insert(
        format!("{name}_ci_high"),
        json!(share.interval.map(|i| i.1)),
    );
}

/// How far people and models agree, over the occurrences that the list's filters let through.
pub async fn agreement(call: Call) -> ApiResult<Json<Value>> {
    let (project, _) = call.required_project().await?;
    let filter = filter(&call, &project).await?;
    let rank = call.query.choice("agreement_coarsest_rank", &RANKS)?;
    let store = call.store();
    let total = store.count_occurrences(&filter).await.map_err(internal)?;
    let verified = store.verified_occurrences(&filter).await;
    let verified = verified.map_err(internal)?;
    let verdicts = verdicts(&call, &verified).await?;
    let found = agree(&verdicts, rank.and_then(rank_place));
    let count = verified.len() as u64;
    let mut map = Map::new();
    map.insert("project_id".into(), json!(project.id));
    map.insert("total_occurrences".into(), json!(total));
    map.insert("verified_count".into(), json!(count));
    map.insert("verified_pct".into(), json!(share(count, total)));
    map.insert(
        "verified_with_prediction_count".into(),
        json!(found.with_prediction),
    );
    map.insert("no_prediction_count".into(), json!(found.no_prediction));
    map.insert(
        "verified_without_taxon_count".into(),
        json!(found.without_taxon),
    );
    map.insert("comparable_count".into(), json!(found.comparable));
    put(&mut map, "agreed_exact", found.exact);
    put(&mut map, "agreed_any_rank", found.any_rank);
    map.insert("cohens_kappa".into(), json!(found.kappa));
    map.insert("agreement_coarsest_rank".into(), json!(rank));
    let coarser = found.coarser;
    map.insert(
        "agreed_coarser_rank_count".into(),
        json!(coarser.map(|share| share.count)),
    );
    map.insert(
        "agreed_coarser_rank_pct".into(),
        json!(coarser.map(|share| share.share)),
    );
    Ok(Json(Value::Object(map)))
}
