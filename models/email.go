package models

// FoldEmail returns an e-mail as it is stored and compared: with the ASCII
// letters in lower case and nothing else changed. Unicode has letters whose
// lower case is an ASCII one, so its rules would let one person's address pass
// for another's; so would leaving out spaces.
func FoldEmail(email string) string {
	folded := []byte(email)
	for i, b := range folded {
		if 'A' <= b && b <= 'Z' {
			folded[i] = b + 'a' - 'A'
		}
	}
	return string(folded)
}
