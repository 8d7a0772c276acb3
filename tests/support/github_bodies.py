"""What GitHub answers, as JSON: whole enough to be valid by its published description."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

NOW = "2026-11-23T08:00:00Z"
_USER_LINKS = (
    "events", "followers", "following", "gists", "organizations", "received_events", "repos", "starred",
    "subscriptions",
)  # fmt: skip
_REPOSITORY_LINKS = (
    "archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents",
    "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "hooks",
    "issue_comment", "issue_events", "issues", "keys", "labels", "languages", "merges", "milestones", "notifications",
    "pulls", "releases", "stargazers", "statuses", "subscribers", "subscription", "tags", "teams", "trees",
)  # fmt: skip
Body = dict[str, Any]


def sha_of(text: str) -> str:
    """Return a name of a commit or a file that is always the same for a text."""
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def number_of(text: str) -> int:
    return int(sha_of(text)[:7], 16) + 1


def node(text: str) -> Body:
    return {"id": number_of(text), "node_id": f"N_{sha_of(text)[:12]}"}


def user(login: str, root: str) -> Body:
    url = f"{root}/users/{login}"
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {
        **node(f"user {login}"),
        "login": login,
        "type": kind,
        "site_admin": False,
        "avatar_url": f"{root}/avatar/{login}",
        "gravatar_id": "",
        "url": url,
        "html_url": url,
        **{f"{name}_url": f"{url}/{name}" for name in _USER_LINKS},
    }


def public_user(login: str, root: str) -> Body:
    nothing = dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location", "name"))
    counts = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
    return {
        **user(login, root),
        **nothing,
        **counts,
        "user_view_type": "public",
        "created_at": NOW,
        "updated_at": NOW,
    }


def app(slug: str, root: str) -> Body:
    """An app, as which the token of a workflow writes too."""
    return {
        **node(f"app {slug}"),
        "slug": slug,
        "name": slug,
        "owner": user("github", root),
        "description": "",
        "external_url": root,
        "html_url": f"{root}/apps/{slug}",
        "created_at": NOW,
        "updated_at": NOW,
        "permissions": {"checks": "write"},
        "events": [],
    }


def repository(full_name: str, root: str) -> Body:
    owner, name = full_name.split("/")
    url = f"{root}/repos/{full_name}"
    off = (
        "fork",
        "private",
        "has_downloads",
        "has_projects",
        "has_wiki",
        "has_pages",
        "archived",
        "disabled",
    )
    none = ("description", "homepage", "language", "mirror_url", "license")
    counts = (
        "forks",
        "forks_count",
        "open_issues",
        "open_issues_count",
        "size",
        "stargazers_count",
        "watchers",
    )
    return {
        **node(f"repository {full_name}"),
        "name": name,
        "full_name": full_name,
        "owner": user(owner, root),
        "default_branch": "main",
        "has_issues": True,
        "watchers_count": 0,
        **dict.fromkeys(off, False),
        **dict.fromkeys(none),
        **dict.fromkeys(counts, 0),
        **dict.fromkeys(("url", "html_url", "clone_url", "git_url", "ssh_url", "svn_url"), url),
        **{f"{link}_url": f"{url}/{link}" for link in _REPOSITORY_LINKS},
        **dict.fromkeys(("created_at", "updated_at", "pushed_at"), NOW),
    }


def label(name: str, root: str) -> Body:
    return {
        **node(f"label {name}"),
        "name": name,
        "description": "",
        "color": "ededed",
        "default": False,
        "url": f"{root}/labels/x",
    }


def pull_simple(given: Mapping[str, Any], repo: str, root: str) -> Body:
    """A pull request as in lists; `given` overrides fields (`github_service.Hub.add_pull`)."""
    number = given["number"]
    url = f"{root}/repos/{repo}/pulls/{number}"
    names = ("comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment", "self")
    links = {f"{name}_url": url for name in names if name != "self"}
    fork = given["head_repository"]
    return {
        **node(url),
        **links,
        "url": url,
        "diff_url": url,
        "patch_url": url,
        "number": number,
        "title": given["title"],
        "body": given["body"],
        "state": "open",
        "locked": False,
        "draft": given["draft"],
        "user": user(given["author"], root),
        "labels": [label(name, root) for name in given["labels"]],
        "head": _side(given["head"], given["head_sha"], fork, root),
        "base": _side(given["base"], given["base_sha"], repo, root),
        "author_association": "CONTRIBUTOR",
        "created_at": NOW,
        "updated_at": NOW,
        "merge_commit_sha": sha_of(f"merge {given['head_sha']}"),
        **dict.fromkeys(("assignee", "milestone", "auto_merge", "closed_at", "merged_at")),
        "_links": {name: {"href": url} for name in names},
    }


def _side(branch: str, sha: str, repo: str, root: str) -> Body:
    owner = repo.split("/", maxsplit=1)[0] if repo else "ghost"
    shown = repository(repo, root) if repo else None  # the fork may be gone
    return {"label": f"{owner}:{branch}", "ref": branch, "sha": sha, "user": user(owner, root), "repo": shown}


def pull(given: Mapping[str, Any], repo: str, root: str) -> Body:
    counts = {name: given[name] for name in ("additions", "deletions", "changed_files")}
    return {
        **pull_simple(given, repo, root),
        **counts,
        **dict.fromkeys(("comments", "commits", "review_comments"), 1),
        "mergeable": True,
        "mergeable_state": "clean",
        "merged": False,
        "merged_by": None,
        "maintainer_can_modify": False,
    }


def changed_file(name: str, root: str, **overrides: Any) -> Body:
    values = {
        "status": "modified",
        "additions": 1,
        "deletions": 0,
        "changes": 1,
        "patch": "@@ -0,0 +1 @@\n+x",
    }
    links = {f"{link}_url": f"{root}/file" for link in ("blob", "raw", "contents")}
    return {"filename": name, "sha": sha_of(name), **links, **values, **overrides}


def comment(number: int, author: str, body: str, root: str, *, via: str = "") -> Body:
    return {
        **node(f"comment {number}"),
        "id": number,
        "body": body,
        "user": user(author, root),
        "author_association": "NONE",
        "performed_via_github_app": app(via, root) if via else None,
        "created_at": NOW,
        "updated_at": NOW,
        **dict.fromkeys(("url", "html_url", "issue_url"), f"{root}/comments/{number}"),
    }


def review_comment(number: int, author: str, given: Mapping[str, Any], commit: str, root: str) -> Body:
    url = f"{root}/review-comments/{number}"
    links = ("url", "html_url", "pull_request_url")
    return {
        **node(f"review comment {number}"),
        "id": number,
        "body": given["body"],
        "path": given["path"],
        "line": given.get("line"),
        "start_line": given.get("start_line"),
        "side": given.get("side", "RIGHT"),
        "start_side": given.get("start_side", "RIGHT"),
        "diff_hunk": "",
        "commit_id": commit,
        "original_commit_id": commit,
        "pull_request_review_id": 1,
        "user": user(author, root),
        "author_association": "NONE",
        "created_at": NOW,
        "updated_at": NOW,
        **dict.fromkeys(links, url),
        "_links": {name: {"href": url} for name in ("self", "html", "pull_request")},
    }


def review(number: int, author: str, given: Mapping[str, Any], root: str) -> Body:
    url = f"{root}/reviews/{number}"
    return {
        **node(f"review {number}"),
        "id": number,
        "user": user(author, root),
        "body": given.get("body", ""),
        "state": "COMMENTED",
        "commit_id": given.get("commit_id"),
        "author_association": "NONE",
        "submitted_at": NOW,
        "html_url": url,
        "pull_request_url": url,
        "_links": {name: {"href": url} for name in ("html", "pull_request")},
    }


def check_run(number: int, given: Mapping[str, Any], annotations: Sequence[object], root: str) -> Body:
    url = f"{root}/check-runs/{number}"
    output = given.get("output") or {}
    return {
        **node(f"check run {number}"),
        "id": number,
        "name": given["name"],
        "head_sha": given["head_sha"],
        "status": given.get("status", "queued"),
        "conclusion": given.get("conclusion"),
        "started_at": given.get("started_at", NOW),
        "completed_at": given.get("completed_at"),
        "external_id": given.get("external_id", ""),
        "check_suite": {"id": 1},
        "app": app("github-actions", root),
        "pull_requests": [],
        "output": {
            **{name: output.get(name) for name in ("title", "summary", "text")},
            "annotations_count": len(annotations),
            "annotations_url": url,
        },
        **dict.fromkeys(("url", "html_url", "details_url"), url),
    }


def commit(sha: str, root: str) -> Body:
    person = {"name": "A", "email": "a@example.org", "date": NOW}
    verification = {
        "verified": False,
        "reason": "unsigned",
        "payload": None,
        "signature": None,
        "verified_at": None,
    }
    links = dict.fromkeys(("url", "html_url", "comments_url"), f"{root}/commits/{sha}")
    inner = {
        "url": f"{root}/git/{sha}",
        "message": "m",
        "comment_count": 0,
        "author": person,
        "committer": person,
        "tree": {"sha": sha_of(f"tree {sha}"), "url": f"{root}/tree"},
        "verification": verification,
    }
    return {
        "sha": sha,
        "node_id": "C_1",
        "commit": inner,
        "author": None,
        "committer": None,
        "parents": [],
        **links,
    }


def comparison(base: str, merge_base: str, root: str) -> Body:
    links = dict.fromkeys(("url", "html_url", "permalink_url", "diff_url", "patch_url"), f"{root}/compare")
    return {
        **links,
        "base_commit": commit(base, root),
        "merge_base_commit": commit(merge_base, root),
        "status": "ahead",
        "ahead_by": 1,
        "behind_by": 0,
        "total_commits": 1,
        "commits": [],
        "files": [],
    }


def refused(status: int, message: str, errors: Sequence[object] = ()) -> Body:
    found: Body = {"message": message, "documentation_url": "https://docs.github.com/rest"}
    return {**found, **({"errors": list(errors)} if errors else {}), "status": str(status)}
