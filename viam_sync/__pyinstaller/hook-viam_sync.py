"""The modules and files that PyInstaller does not see by itself: names loaded at first use, and the compiled schema."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

# The sandbox is for development; a program that imports it gets it all the same. The migration is for sources.
_LEFT_OUT = ("viam_sync.sandbox", "viam_sync.migrate", "viam_sync.__pyinstaller")

hiddenimports = collect_submodules("viam_sync", lambda name: not name.startswith(_LEFT_OUT))
datas = collect_data_files("viam_sync")
# The certificates that gRPC trusts.
datas += collect_data_files("grpc", includes=["**/*.pem"])
