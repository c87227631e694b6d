package sshlogin

// Control is the check of what is really dialed, which an address that is no name never reaches first.
func (v *Verifier) Control(address string) error { return v.control("tcp", address, nil) }
