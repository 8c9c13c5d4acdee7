package account

import "time"

// AskProviderAnew ends the pause after which the provider is asked again.
func AskProviderAnew(s *Pages) { s.signOn.discovery.again = time.Now() }

// WaitForProvider sets how long a request waits for the provider.
func WaitForProvider(s *Pages, wait time.Duration) { s.signOn.discovery.wait = wait }
