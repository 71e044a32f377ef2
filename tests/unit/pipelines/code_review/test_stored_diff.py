from __future__ import annotations

from gencode.diffs import parse_patch
from gencode.pipelines.code_review.stored_diff import ReviewedDiff

PATCH = b"""\
diff --git "a/\\377.c" "b/\\377.c"
old mode 100644
new mode 100755
index 1234567..89abcde 100644
--- "a/\\377.c"
+++ "b/\\377.c"
@@ -1,2 +1,2 @@ int f(\xe9)
-\xff\x00old\r
+new\x0c line
 same
\\ No newline at end of file
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
"""
MAIL = b"From %b Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH] x\n\n---\n"


def test_a_stored_diff_is_the_same_diff() -> None:
    diff = ReviewedDiff.of_patch(parse_patch(PATCH))
    loaded = ReviewedDiff.load(diff.dump())
    assert (loaded.diff, list(loaded.commits)) == (diff.diff, ["", ""])
    assert [hunk.section for file in loaded.diff.files for hunk in file.hunks] == [b"int f(\xe9)", b""]


def test_files_of_several_commits_keep_their_commits() -> None:
    both = MAIL % (b"a" * 40) + PATCH + MAIL % (b"b" * 40) + PATCH
    diff = ReviewedDiff.of_patch(parse_patch(both))
    assert [commit[:1] for commit in ReviewedDiff.load(diff.dump()).commits] == ["a", "a", "b", "b"]
