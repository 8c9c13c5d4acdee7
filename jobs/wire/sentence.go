package wire

import "fmt"

// sentence is an error whose text is shown to people as it is: a whole
// sentence, which the text of an ordinary error is not.
type sentence string

func (s sentence) Error() string { return string(s) }

func sentencef(format string, args ...any) error { return sentence(fmt.Sprintf(format, args...)) }
