//! A module with files: a cabinet for each space, whose members add and read documents.
//! `docs/files.md` explains it.

use std::process::ExitCode;

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use tidepool::base::db::Tx;
use tidepool::base::error::{Error, Result};
use tidepool::base::ids::{AccountId, SpaceId};
use tidepool::community::permissions::{self, is_granted};
use tidepool::community::{Community, Layout, Scope, Shell};
use tidepool::engine::actions::{Class, Outcome};
use tidepool::engine::bus::{Envelope, Origin, Subscriber};
use tidepool::engine::feed::Feed;
use tidepool::engine::files::{File, FileId, FileKind, Picture};
use tidepool::engine::forms::Form;
use tidepool::engine::live::Content;
use tidepool::engine::module::{Audience, Module};
use tidepool::engine::viewer::Viewer;
use tidepool::engine::web::{Head, PageAnswer};
use tidepool::event;

const DOCUMENT: &str = "cabinet.document";
const TABLE: &str = "CREATE TABLE cabinet (
    file_id  BIGINT PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE
)";

/// An ordinary form, which uploads without JavaScript. The field with the target (the space) comes
/// before the files.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% extends "community/shell.html" %}
{% import "community/parts.html" as parts %}
{% block main %}<h1>Cabinet</h1>{{ parts::problem(form) }}
<form method="post" action="/act/cabinet.file" enctype="multipart/form-data">
<input type="hidden" name="space" value="{{ space }}">
<input type="file" name="files" multiple aria-label="Files"><button class="btn">File</button>
{% if let Some(error) = form.error("files") %}<p class="error">{{ error }}</p>{% endif %}
</form>
<ul>{% for file in files %}
<li><a href="/files/{{ file.id }}/{{ file.name|urlencode }}">{{ file.name }}</a>
{% if file.picture == Picture::Made -%}
<img src="/files/{{ file.id }}/{{ file.name|urlencode }}?size=small" alt="">
{%- endif %}</li>
{% endfor %}</ul>{% endblock %}"#
)]
struct CabinetPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    files: Vec<File>,
}

#[derive(Clone)]
struct Cabinet(Community);

#[derive(Deserialize)]
struct PutInput {
    space: SpaceId,
    #[serde(default)]
    files: Vec<FileId>,
}

#[derive(Deserialize)]
struct ListInput {
    space: SpaceId,
}

#[derive(Deserialize)]
struct DeleteInput {
    file: FileId,
}

event! {
    /// Documents were added to a cabinet or deleted.
    pub struct ContentsChanged on "cabinet.contents.changed" by space {
        /// The space whose cabinet it is.
        space: SpaceId = SpaceId(3),
    }
}

const FEED: Feed<SpaceId> = Feed::new("cabinet/{space}", "Changes of a space's cabinet");

fn module() -> Module<Cabinet> {
    Module::new("cabinet")
        .migration("0001_cabinet", TABLE)
        .publishes::<ContentsChanged>()
        .files(document_kind())
        .feed(FEED, may_follow)
        .subscriber(Subscriber::new("cabinet.presenter").on(contents_changed))
        .page(Audience::SignedIn, "/spaces/{space}/cabinet", get(page))
        .action_with_files(
            "cabinet.file",
            "Puts files in the cabinet",
            Class::Write,
            DOCUMENT,
            Cabinet::put,
        )
        .action(
            "cabinet.list",
            "What is in the cabinet",
            Class::Read,
            Cabinet::list,
        )
        .action(
            "cabinet.throw-away",
            "Throws a file away",
            Class::Write,
            Cabinet::delete,
        )
}

/// `may_add` is checked for every upload, `may_read` for every download.
fn document_kind() -> FileKind<Cabinet> {
    let about = "A document in a space's cabinet";
    FileKind::new(DOCUMENT, about, "space", may_add, may_read).when_ready(pictures_ready)
}

/// A document counts towards the quota of its space.
async fn may_add(cabinet: Cabinet, viewer: Viewer, space: i64) -> Result<Option<SpaceId>> {
    let space = SpaceId(space);
    cabinet.permit_read(viewer.account, space).await?;
    Ok(Some(space))
}

async fn may_read(cabinet: Cabinet, viewer: Viewer, file: File) -> Result<()> {
    cabinet
        .permit_read(viewer.account, SpaceId(file.target))
        .await
}

async fn pictures_ready(cabinet: Cabinet, tx: &mut Tx, file: File) -> Result<()> {
    cabinet.publish_changed(tx, SpaceId(file.target)).await
}

async fn may_follow(cabinet: Cabinet, viewer: Viewer, space: SpaceId) -> Result<bool> {
    is_granted(cabinet.permit_read(viewer.account, space).await)
}

/// Programs that follow the feed get the event.
async fn contents_changed(
    cabinet: &Cabinet,
    event: &ContentsChanged,
    envelope: &Envelope,
) -> Result<()> {
    let (live, feed) = (&cabinet.0.engine().live, FEED.name(event.space));
    live.publish_at(&feed, envelope, Content::of(event));
    Ok(())
}

impl Cabinet {
    async fn permit_read(self, account: AccountId, space: SpaceId) -> Result<()> {
        self.0
            .access
            .permit(account, &permissions::READ, Scope::Space(space))
            .await
    }

    /// Changes the cabinet of a space in a transaction, for one of its members.
    async fn write<F>(&self, account: AccountId, space: SpaceId, work: F) -> Result<()>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<()> + Send + 'static,
    {
        let (access, scope) = (&self.0.access, Scope::Space(space));
        access
            .permitted_write(account, &permissions::READ, scope, work)
            .await
    }

    /// After the commit: a rolled-back write publishes nothing.
    async fn publish_changed(&self, tx: &mut Tx, space: SpaceId) -> Result<()> {
        let (bus, feed) = (&self.0.engine().bus, FEED.name(space));
        bus.publish_on(tx, &[feed], Origin::default(), ContentsChanged { space })
            .await
    }

    /// The files have been uploaded already, over tus or with the form. One transaction claims all
    /// of them or none.
    async fn put(self, viewer: Viewer, PutInput { space, files }: PutInput) -> Result<Outcome> {
        if files.is_empty() {
            return Err(Error::field("files", "error-file-gone"));
        }
        let (cabinet, ids) = (self.clone(), files.clone());
        self.write(viewer.account, space, async move |tx| {
            for id in ids {
                let files = &cabinet.0.engine().files;
                files
                    .claim(tx, id, DOCUMENT, space.0, viewer.account)
                    .await?;
                tx.execute(
                    "INSERT INTO cabinet (file_id, space_id) VALUES ($1, $2)",
                    (id, space),
                )
                .await?;
            }
            cabinet.publish_changed(tx, space).await
        })
        .await?;
        Ok(Outcome::new(
            json!({ "files": files }),
            format!("/spaces/{space}/cabinet"),
        ))
    }

    async fn files(&self, space: SpaceId) -> Result<Vec<File>> {
        const IDS: &str =
            "SELECT file_id FROM cabinet WHERE space_id = $1 ORDER BY file_id DESC LIMIT 100";
        let ids: Vec<FileId> = self.0.engine().db.scalars(IDS, (space,)).await?;
        futures_util::future::try_join_all(ids.into_iter().map(|id| self.0.engine().files.file(id)))
            .await
    }

    async fn list(self, viewer: Viewer, ListInput { space }: ListInput) -> Result<Outcome> {
        self.clone().permit_read(viewer.account, space).await?;
        let files = self.files(space).await?;
        let documents = files.iter().map(|file| {
            json!({
                "id": file.id,
                "name": file.name,
                "media": file.media().name(),
                "size": file.size,
                "picture": file.picture,
                "width": file.width,
                "height": file.height,
            })
        });
        Ok(Outcome::new(
            json!({ "files": documents.collect::<Vec<_>>() }),
            format!("/spaces/{space}/cabinet"),
        ))
    }

    /// Deletes the row and releases the file in one transaction. The content is deleted later,
    /// unless another file has the same.
    async fn delete(self, viewer: Viewer, DeleteInput { file }: DeleteInput) -> Result<Outcome> {
        let space = SpaceId(self.0.engine().files.file(file).await?.target);
        let cabinet = self.clone();
        self.write(viewer.account, space, async move |tx| {
            const ROW: &str = "DELETE FROM cabinet WHERE file_id = $1 RETURNING space_id";
            let _: SpaceId = tx.scalar(ROW, (file,)).await?;
            cabinet.publish_changed(tx, space).await?;
            cabinet.0.engine().files.release(tx, file).await
        })
        .await?;
        Ok(Outcome::new(json!({}), format!("/spaces/{space}/cabinet")))
    }
}

async fn page(
    State(cabinet): State<Cabinet>,
    layout: Layout,
    viewer: Viewer,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    cabinet.clone().permit_read(viewer.account, space).await?;
    let here = format!("/spaces/{space}/cabinet");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let head = cabinet.0.head(&viewer, "Cabinet");
    let page = CabinetPage {
        head,
        shell,
        form,
        space,
        files: cabinet.files(space).await?,
    };
    PageAnswer::of(&page, &page.shell.parts)
}

fn main() -> ExitCode {
    tidepool::cli::main(|modules| {
        modules.add(module(), |community: &Community| Cabinet(community.clone()))
    })
}
