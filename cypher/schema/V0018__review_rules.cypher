// Reviews of before the rules were kept with them: the threshold was the only one that asked.
// params: none
// returns: nothing
// mode: write
MATCH (v:Review) WHERE v.rules IS NULL OR size(v.rules) = 0 SET v.rules = ['threshold'];
