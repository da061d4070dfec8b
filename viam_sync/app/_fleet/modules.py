"""The methods of AppClient that change a module and send its file."""

from __future__ import annotations

from typing import Iterator, List, Optional

from viam_sync.checks import boolean, require
from viam_sync.proto import app as pb
from viam_sync.rpc.retry import IDEMPOTENT, UPLOAD
from viam_sync.rpc.service import Service
from viam_sync.transfer.output.progress import Progress, ProgressLike
from viam_sync.transfer.upload.source import ProgressChunks, Uploadable, upload_source


class Modules(Service):
    """Methods for modules in the registry."""

    def update_module(
        self,
        module_id: str,
        url: str,
        description: str,
        models: Optional[List[pb.Model]],
        entrypoint: str,
        public: bool = False,
        *,
        first_run: Optional[str] = None,
        apps: Optional[List[pb.App]] = None,
        markdown_description: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> str:
        """Change what the registry says of a module; each argument replaces what was there.

        Args:
            module_id: ID of the module, such as ``my-namespace:my-module``.
            url: Address of its documentation and code.
            description: What it is for, in short.
            models: All models that it provides; None for no models.
            entrypoint: Path of the executable that starts it; must not be empty.
            public: Whether everyone can see it; without this, a public module becomes private.
            first_run: Path of a script that runs before the module first starts; None if there is none.
            apps: Web apps that it provides.
            markdown_description: Its documentation in Markdown; None if there is none.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            URL of the module's page.

        Raises:
            NotFoundError: If there is no such module.
            InvalidArgumentError: If the entrypoint is empty, or a model is no lowercase triplet such as ``a:b:c``.
            FailedPreconditionError: If it shall be public but its organization has no namespace, or private while
                other organizations use it.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> module_id = f"{sandbox.organization_id}:soil-sensor"
            >>> model = pb.Model(api="rdk:component:sensor", model="lesson-robotics:soil:probe")
            >>> cloud.update_module(module_id, "https://example.com", "Reads soil.", [model], "run.sh")
            'https://app.viam.com/module/.../soil-sensor'
        """
        require(module_id=module_id, url=url, description=description, entrypoint=entrypoint)
        boolean("public", public)
        request = pb.UpdateModuleRequest(
            module_id=module_id,
            visibility=pb.Visibility.VISIBILITY_PUBLIC if public else pb.Visibility.VISIBILITY_PRIVATE,
            url=url,
            description=description,
            models=models,
            entrypoint=entrypoint,
            first_run=first_run,
            apps=apps,
            markdown_description=markdown_description,
        )
        response: pb.UpdateModuleResponse = self._call("UpdateModule", request, IDEMPOTENT, timeout)
        return response.url

    def upload_module_file(
        self,
        module_file_info: Optional[pb.ModuleFileInfo],
        file: Uploadable,
        *,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> str:
        """Upload the packed file of a version of a module.

        It is sent in pieces of 256 KiB, so that one read from a path or an open file is never held in memory as a
        whole. A version that has arrived cannot be replaced.

        Args:
            module_file_info: Which module, version and platform it is; the service refuses a file without.
            file: The contents: bytes, the path of a file as a ``pathlib.Path``, or a file opened in binary mode,
                which is read from where it stands and left open.
            progress: True for a bar on the terminal, or what is called with the bytes that are sent, those there are
                (None if that is not known), and ``"bytes"``.
            timeout: Seconds that the upload may take in all; None for no limit.

        Returns:
            URL of the uploaded file.

        Raises:
            TypeError: If ``file`` is none of these, a str or a file opened as text among them; nothing was sent.
            OSError: If the file cannot be read, or gets longer or shorter while it is; nothing is stored then. Other
                errors that reading raises come out as they are, too.
            ImportError: If ``progress`` is True, and tqdm is not installed.
            AlreadyExistsError: If the module has this version for this platform already.
            InvalidArgumentError: If the information is missing, its version is no semantic one, or its platform is
                not known.
            NotFoundError: If there is no such module.
            AmbiguousResultError: If nobody knows whether it was stored, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> module_id = f"{sandbox.organization_id}:soil-sensor"
            >>> info = pb.ModuleFileInfo(module_id=module_id, version="1.0.0", platform="linux/arm64")
            >>> url = cloud.upload_module_file(info, b"the packed files")
            >>> cloud.get_module(module_id).versions[0].version
            '1.0.0'
        """
        opening = pb.UploadModuleFileRequest(module_file_info=module_file_info)
        with Progress(progress) as shown, upload_source("file", file) as contents:
            # What cannot be read at all is found here, before anything is sent.
            pieces = ProgressChunks(contents, shown.advance)
            shown.begin(contents.size)

            def requests() -> Iterator[pb.UploadModuleFileRequest]:
                yield opening
                for piece in pieces:
                    yield pb.UploadModuleFileRequest(file=piece)

            response: pb.UploadModuleFileResponse = self._send(
                "UploadModuleFile",
                requests if pieces.repeatable else requests(),
                UPLOAD,
                timeout,
                look="get_module",
            )
        return response.url
