// Which key seals the secrets of this installation: the first one that was used; no brand's, for it is all of theirs.
// params: mark (says which key it is and nothing about it), at
// returns: mark (of the key that seals)
// mode: write
MERGE (n:Installation {id: 'installation'})
ON CREATE SET n.key_mark = $mark, n.created_at = $at
RETURN n.key_mark AS mark
