//! Trails: what is put into a lake, delivered as CloudTrail delivers log files and digests.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use towpath_event::EventSelectors;
use towpath_ingest::{TrailDelivery, TrailRules, TrailWriter};
use towpath_store::{EventDataStore, Location};

use crate::error::Result;
use crate::lake::Lake;

/// A trail of a lake.
#[derive(Clone, Debug)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// The account that it belongs to; its log files are those of this account.
    pub account: String,
    /// The region that it belongs to.
    pub home_region: String,
    /// The bucket that it delivers to.
    pub bucket: String,
    /// What stands before `AWSLogs` in the keys; empty for nothing.
    pub prefix: String,
    /// A folder that stands for the bucket. `None`: the bucket itself, on S3.
    pub folder: Option<String>,
    /// Which events of CloudTrail it takes. `None`: every management event.
    pub selectors: Option<EventSelectors>,
    /// Whether it takes the events of every region, and not only of its own.
    pub all_regions: bool,
    /// Whether it takes the events of global services, such as IAM, of every region.
    pub global_services: bool,
}

impl Trail {
    fn writer(&self, storage_options: &HashMap<String, String>) -> Result<TrailWriter> {
        let destination = match &self.folder {
            Some(folder) => Location::parse(folder, storage_options)?,
            None => Location::parse(&format!("s3://{}/", self.bucket), storage_options)?,
        };
        Ok(TrailWriter {
            trail: self.name.clone(),
            account: self.account.clone(),
            home_region: self.home_region.clone(),
            bucket: self.bucket.clone(),
            prefix: self.prefix.trim_matches('/').to_owned(),
            destination,
        })
    }

    fn rules(&self) -> TrailRules {
        TrailRules {
            selectors: self.selectors.clone(),
            home_region: self.home_region.clone(),
            all_regions: self.all_regions,
            global_services: self.global_services,
        }
    }
}

impl Lake {
    /// Begins the delivery of a trail: what is put into any store of the lake from now on.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn begin_delivery(
        &self,
        has_digests: bool,
        now: DateTime<Utc>,
    ) -> Result<TrailDelivery> {
        let stores = self.delivered_stores().await?;
        Ok(TrailDelivery::begin(&stores, now, has_digests).await?)
    }

    /// Plans what was put into the lake since, and returns whether there is something to carry out.
    /// Keep `delivery` before it is carried out: then a crash changes nothing.
    ///
    /// # Errors
    ///
    /// Storage errors.
    pub async fn plan_delivery(
        &self,
        delivery: &mut TrailDelivery,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let stores = self.delivered_stores().await?;
        Ok(delivery.plan(&stores, now).await?)
    }

    /// Writes the log files that were planned. Keep `delivery` afterwards.
    ///
    /// # Errors
    ///
    /// Storage errors, of the lake and of the bucket. The plan then stays.
    pub async fn carry_out_delivery(
        &self,
        delivery: &mut TrailDelivery,
        trail: &Trail,
    ) -> Result<()> {
        let stores = self.delivered_stores().await?;
        let writer = trail.writer(&self.options().storage_options)?;
        Ok(Box::pin(delivery.carry_out(&writer, &trail.rules(), &stores)).await?)
    }

    /// Writes the digests that are due, one for each `every`; if the trail `ends`, also the last
    /// ones. Keep `delivery` afterwards.
    ///
    /// # Errors
    ///
    /// Storage errors, of the lake and of the bucket, and that the lake has no key to sign with.
    pub async fn deliver_digests(
        &self,
        delivery: &mut TrailDelivery,
        trail: &Trail,
        (now, every): (DateTime<Utc>, TimeDelta),
        ends: bool,
    ) -> Result<()> {
        if !ends && !delivery.is_digest_due(now, every) {
            return Ok(());
        }
        let writer = trail.writer(&self.options().storage_options)?;
        let key = self.signing_key(now).await?;
        if ends {
            delivery.end(&writer, &key, now, every).await?;
        } else {
            delivery.digest(&writer, &key, now, every).await?;
        }
        Ok(())
    }

    /// The stores that are in use.
    async fn delivered_stores(&self) -> Result<Vec<EventDataStore>> {
        let mut stores = self.catalog().stores().await?;
        stores.retain(|store| store.settings().deleted_at.is_none());
        Ok(stores)
    }
}
