package secret

// IDs name the keys, the one that seals first. A sealed value begins with the
// id of its key; nothing of the key can be learned from it.
func (b *Box) IDs() []string {
	ids := make([]string, len(b.keys))
	for i, k := range b.keys {
		ids[i] = k.id
	}
	return ids
}
