// The page of `convoy plan`.
