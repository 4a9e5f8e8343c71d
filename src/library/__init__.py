"""The PQ Index and SAP for any network and any checkpoint; `pqindex` where it is installed. Needs torch and numpy."""
